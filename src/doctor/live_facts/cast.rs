//! The accounts and groups that the questions are about. The check finds them by itself as far as it can. Their ids go into the
//! targets of later requests and nowhere else.

use super::asker::{Asker, NoReply};
use super::question::Get;
use super::reply::{Opaque, Reply};
use glassine_core::graph::encode::query_value;

/// How many accounts to look at until a user, a room and a shared mailbox are found.
const TRIES: usize = 20;

/// How many of them to look at in each group of accounts where rooms and shared mailboxes are likely.
const LIKELY: usize = 5;

/// How many groups to look at until one has two members.
const GROUPS: usize = 5;

/// How many messages a user's mailbox should have, so that a page of two is not the last one.
const MESSAGES: usize = 3;

/// Somebody or something that a target names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    User,
    Room,
    Shared,
    Guest,
    Unlicensed,
    Group,
    Hidden,
    Tenant,
    Client,
}

/// The parts that an operator can name, what each has to have, and why it is missing without.
const ABSENT: [(Part, &str, &str); 4] = [
    (
        Part::User,
        "/messages?$select=id&$top=1",
        "the account that --mailbox-in names is not there or has no mailbox",
    ),
    (Part::Room, "?$select=id", "the directory does not have the account that --room names"),
    (Part::Shared, "?$select=id", "the directory does not have the account that --shared names"),
    (Part::Guest, "?$select=id", "the directory does not have the account that --guest names"),
];

/// The parts with their placeholders in targets, and why one is missing.
const PARTS: [(Part, &str, &str); 9] = [
    (
        Part::User,
        "{user}",
        "no user with a mailbox of 3 messages was found: name one with --mailbox-in ADDRESS",
    ),
    (Part::Room, "{room}", "no room mailbox was found: name one with --room ID"),
    (Part::Shared, "{shared}", "no shared mailbox was found: name one with --shared ID"),
    (Part::Guest, "{guest}", "no guest was found: name one with --guest ID"),
    (Part::Unlicensed, "{unlicensed}", "no member without an address was found"),
    (Part::Group, "{group}", "no group with two members was found"),
    (Part::Hidden, "{hidden}", "no group with hidden membership was found"),
    (Part::Tenant, "{tenant}", "the credential has no Entra tenant"),
    (Part::Client, "{client}", "the credential has no client id"),
];

/// The ids of the parts that are known, and why one is missing that was named.
#[derive(Default)]
pub(super) struct Cast(Vec<(Part, Result<Opaque, &'static str>)>);

/// The parts that an operator names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// A user's mailbox with some messages.
    pub(crate) user: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) shared: Option<String>,
    pub(crate) guest: Option<String>,
}

const USERS: Get = Get::graph("/v1.0/users?$select=id,mail,userType,accountEnabled,surname&$top=999");
const GUESTS: Get = Get::graph("/v1.0/users?$filter=userType%20eq%20'Guest'&$select=id,userType&$top=10");
const DISABLED: Get = Get::graph(
    "/v1.0/users?$filter=accountEnabled%20eq%20false&$select=id,mail,userType,accountEnabled,surname&$top=999",
);
const GROUPS_PAGE: Get = Get::graph("/v1.0/groups?$select=id,visibility&$top=100");

impl Cast {
    pub(super) fn new(named: &Named, tenant: Option<&str>, client: Option<&str>) -> Self {
        let mut cast = Self::default();
        let given = [
            (Part::User, named.user.as_deref()),
            (Part::Room, named.room.as_deref()),
            (Part::Shared, named.shared.as_deref()),
            (Part::Guest, named.guest.as_deref()),
            (Part::Tenant, tenant),
            (Part::Client, client),
        ];
        for (part, id) in given {
            cast.know(part, id.map(|id| Opaque::new(id.to_owned())));
        }
        cast
    }

    /// The target with an id in place of each placeholder, or why that is not possible.
    pub(super) fn fill(&self, target: &str) -> Result<Opaque, &'static str> {
        let mut filled = target.to_owned();
        for (part, placeholder, why_missing) in PARTS {
            if filled.contains(placeholder) {
                let id = self.entry(part).unwrap_or(Err(why_missing))?;
                filled = filled.replace(placeholder, &query_value(id.for_request()));
            }
        }
        Ok(Opaque::new(filled))
    }

    /// Finds what is not known yet. Whatever Graph refuses stays unknown.
    pub(super) async fn find(&mut self, asker: &mut Asker) -> Result<(), NoReply> {
        self.check_named(asker).await?;
        let users = read(asker, &USERS).await?;
        let disabled = read(asker, &DISABLED).await?;
        let guests = read(asker, &GUESTS).await?;
        self.know(Part::Guest, guests.ids(|it| it.is("userType", "Guest")).into_iter().next());
        let unlicensed = users.ids(|it| !it.is("userType", "Guest") && !it.has_text("mail"));
        self.know(Part::Unlicensed, unlicensed.into_iter().next());
        for id in candidates(&users, &disabled) {
            self.look_at(asker, id).await?;
        }
        self.find_groups(asker).await
    }

    /// Gives up the accounts that were named and are not there: a refusal of theirs says nothing of Graph.
    async fn check_named(&mut self, asker: &mut Asker) -> Result<(), NoReply> {
        for (part, target, why) in ABSENT {
            let Some(id) = self.id(part) else { continue };
            if asker.ask(&USERS, &at(id, target), &[]).await?.is_not_found() {
                self.0.retain(|(known, _)| *known != part);
                self.0.push((part, Err(why)));
            }
        }
        Ok(())
    }

    /// Learns what kind of mailbox this is.
    async fn look_at(&mut self, asker: &mut Asker, id: Opaque) -> Result<(), NoReply> {
        let is_known = |part| self.entry(part).is_some();
        if [Part::User, Part::Room, Part::Shared].into_iter().all(is_known) {
            return Ok(());
        }
        let purposes = [("user", Part::User), ("room", Part::Room), ("shared", Part::Shared)];
        let settings = at(&id, "/mailboxSettings?$select=userPurpose");
        let reply = asker.ask(&USERS, &settings, &[]).await?;
        let purpose = reply.is_one_of("/userPurpose", purposes.iter().map(|(word, _)| *word));
        let part = purposes.into_iter().find(|(word, _)| Some(*word) == purpose).map(|(_, part)| part);
        // Without the permission for settings, every account with an address may be a user.
        let part = part.unwrap_or(Part::User);
        if part != Part::User || (self.entry(part).is_none() && has_messages(asker, &id).await?) {
            self.know(part, Some(id));
        }
        Ok(())
    }

    async fn find_groups(&mut self, asker: &mut Asker) -> Result<(), NoReply> {
        let groups = read(asker, &GROUPS_PAGE).await?;
        self.know(Part::Hidden, groups.ids(|it| it.is("visibility", "HiddenMembership")).into_iter().next());
        for id in groups.ids(|it| !it.is("visibility", "HiddenMembership")).into_iter().take(GROUPS) {
            let members = Opaque::new(format!(
                "/v1.0/groups/{}/members?$select=id&$top=2",
                query_value(id.for_request())
            ));
            if asker.ask(&GROUPS_PAGE, &members, &[]).await?.objects() == 2 {
                self.know(Part::Group, Some(id));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Remembers an id, unless one is known or was named.
    fn know(&mut self, part: Part, id: Option<Opaque>) {
        if self.entry(part).is_none() {
            self.0.extend(id.map(|id| (part, Ok(id))));
        }
    }

    fn id(&self, part: Part) -> Option<&Opaque> {
        self.entry(part)?.ok()
    }

    fn entry(&self, part: Part) -> Option<Result<&Opaque, &'static str>> {
        let (_, id) = self.0.iter().find(|(known, _)| *known == part)?;
        Some(id.as_ref().map_err(|why| *why))
    }
}

/// The accounts to look at. Rooms and shared mailboxes have no surname (microsoft-graph-docs#239), and many of their accounts are
/// disabled. A shared mailbox that was a user's has the surname.
fn candidates(users: &Reply, disabled: &Reply) -> Vec<Opaque> {
    let members = |reply: &Reply, is_disabled: bool, has_surname: bool| {
        reply.ids(|it| {
            !it.is("userType", "Guest")
                && it.has_text("mail")
                && it.is_false("accountEnabled") == is_disabled
                && it.has_text("surname") == has_surname
        })
    };
    let likely =
        [members(disabled, true, false), members(users, false, false), members(disabled, true, true)];
    let likely = likely.into_iter().flat_map(|ids| ids.into_iter().take(LIKELY));
    likely.chain(members(users, false, true)).take(TRIES).collect()
}

async fn read(asker: &mut Asker, get: &Get) -> Result<Reply, NoReply> {
    asker.ask(get, &Opaque::new(get.target.to_owned()), &[]).await
}

async fn has_messages(asker: &mut Asker, id: &Opaque) -> Result<bool, NoReply> {
    let target = at(id, &format!("/messages?$select=id&$top={MESSAGES}"));
    Ok(asker.ask(&USERS, &target, &[]).await?.objects() >= MESSAGES)
}

fn at(user: &Opaque, rest: &str) -> Opaque {
    Opaque::new(format!("/v1.0/users/{}{rest}", query_value(user.for_request())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_filled_with_escaped_ids_or_not_at_all() {
        let guest = Some("a_b.example#EXT#@c.example/../x?y".to_owned());
        let cast = Cast::new(&Named { guest, ..Named::default() }, Some("7"), None);
        let filled = cast.fill("/v1.0/users/{guest}/messages").ok().unwrap();
        assert_eq!(
            filled.for_request(),
            "/v1.0/users/a_b.example%23EXT%23%40c.example%2F..%2Fx%3Fy/messages"
        );
        assert!(cast.fill("/{tenant}/x").is_ok_and(|target| target.for_request() == "/7/x"));
        assert!(cast.fill("/{tenant}/x?appid={client}").is_err_and(|why| why.contains("client id")));
        assert!(cast.fill("/v1.0/users/{room}").is_err_and(|why| why.contains("--room ID")));
    }
}
