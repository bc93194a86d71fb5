//! Mailing lists, Microsoft 365 groups and security groups, some of them inside each other.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::page_token::Named;
use super::people::{Account, User, number};
use super::rng::Rng;
use super::text;

/// The kind of a group, which determines its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// A mailing list: mail, no permissions.
    List,
    /// Permissions and mail.
    MailSecurity,
    /// Permissions only; no address.
    Security,
    /// A Microsoft 365 group.
    Unified,
}

/// A member of a group: a place in the tenant's users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    User(usize),
    Group(usize),
}

/// A synthetic group of the directory.
pub struct Group {
    pub(super) index: usize,
    pub(super) display_name: String,
    pub(super) members: Vec<Member>,
    id: String,
    kind: GroupKind,
    alias: String,
}

impl Group {
    /// The object id, a GUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The group's address; `None` for plain security groups.
    pub fn mail(&self) -> Option<String> {
        (self.kind != GroupKind::Security).then(|| format!("{}@{}", self.alias, text::DOMAIN))
    }

    /// The kind of the group.
    pub fn kind(&self) -> GroupKind {
        self.kind
    }

    /// Whether only applications with Member.Read.Hidden see who is in it. Only Microsoft 365 groups can be so
    /// (<https://learn.microsoft.com/graph/api/resources/group#group-visibility-options>).
    pub fn has_hidden_members(&self) -> bool {
        let hidden = text::PROJECTS.last().map(|name| format!("Project {name}"));
        self.kind == GroupKind::Unified && hidden.as_ref() == Some(&self.display_name)
    }

    /// The group as tokens name it.
    pub(super) fn named(&self) -> Named<'_> {
        Named { kind: "Group", id: &self.id, name: &self.display_name }
    }

    /// Who joined the group in this round of change tracking: a person who was not in it.
    pub(super) fn joined(&self, seed: u64, round: usize, users: &[User]) -> Option<Member> {
        let start = self.rng_of_round(seed, round).below(users.len());
        let mut people = users.iter().cycle().skip(start).take(users.len());
        let is_new = |user: &&User| {
            user.account() == Account::Member && !self.members.contains(&Member::User(user.index))
        };
        people.find(is_new).map(|user| Member::User(user.index))
    }

    /// Who left the group in this round of change tracking.
    pub(super) fn left(&self, seed: u64, round: usize) -> Option<Member> {
        let place = self.rng_of_round(seed, round).below(self.members.len());
        self.members.get(place).copied()
    }

    fn visibility(&self) -> Option<&'static str> {
        let of_unified = if self.has_hidden_members() { "HiddenMembership" } else { "Private" };
        (self.kind == GroupKind::Unified).then_some(of_unified)
    }

    fn rng_of_round(&self, seed: u64, round: usize) -> Rng {
        Rng::of(seed, "membership", &[number(self.index), number(round)])
    }

    /// Every property the tenant knows of the group.
    pub(super) fn to_json(&self, seed: u64) -> Value {
        let mut rng = Rng::of(seed, "group details", &[number(self.index)]);
        let unified = self.kind == GroupKind::Unified;
        let created = format!("20{:02}-0{}-2{}T14:05:11Z", 19 + rng.below(6), 1 + rng.below(9), rng.below(8));
        let mail = self.mail();
        let proxies: Vec<String> = mail.iter().map(|mail| format!("SMTP:{mail}")).collect();
        json!({
            "id": self.id,
            "classification": Value::Null,
            "createdDateTime": created,
            "creationOptions": [],
            "deletedDateTime": Value::Null,
            "description": format!("{}: ask {} before you join.", self.display_name, rng.pick(text::GIVEN_NAMES)),
            "displayName": self.display_name,
            "expirationDateTime": Value::Null,
            "groupTypes": if unified { json!(["Unified"]) } else { json!([]) },
            "isAssignableToRole": Value::Null,
            "mail": mail,
            "mailEnabled": self.kind != GroupKind::Security,
            "mailNickname": self.alias,
            "membershipRule": Value::Null,
            "membershipRuleProcessingState": Value::Null,
            "onPremisesDomainName": Value::Null,
            "onPremisesLastSyncDateTime": Value::Null,
            "onPremisesSyncEnabled": Value::Null,
            "preferredDataLocation": Value::Null,
            "preferredLanguage": Value::Null,
            "proxyAddresses": proxies,
            "renewedDateTime": created,
            "resourceBehaviorOptions": [],
            "resourceProvisioningOptions": if unified { json!(["Team"]) } else { json!([]) },
            "securityEnabled": matches!(self.kind, GroupKind::Security | GroupKind::MailSecurity),
            "securityIdentifier": format!("S-1-12-1-{}-{}", rng.below(1 << 31), rng.below(1 << 31)),
            "theme": Value::Null,
            "visibility": self.visibility(),
        })
    }
}

/// All groups: lists, then departments, projects and security groups.
pub(super) fn groups(seed: u64, users: &[User]) -> Vec<Group> {
    let lists =
        text::LISTS.iter().map(|[name, alias]| (GroupKind::List, (*name).to_owned(), (*alias).to_owned()));
    let departments = text::DEPARTMENTS
        .iter()
        .map(|name| (GroupKind::MailSecurity, format!("Department {name}"), format!("dept-{}", slug(name))));
    let projects = text::PROJECTS
        .iter()
        .map(|name| (GroupKind::Unified, format!("Project {name}"), format!("project-{}", slug(name))));
    let security = text::DEPARTMENTS
        .iter()
        .map(|name| (GroupKind::Security, format!("SG {name} files"), format!("sg-{}", slug(name))));
    let kinds = lists.chain(departments).chain(projects).chain(security);
    kinds
        .enumerate()
        .map(|(index, (kind, display_name, alias))| {
            let members = members(seed, index, users);
            let id = Rng::of(seed, "group", &[number(index)]).guid();
            Group { index, id, kind, display_name, alias, members }
        })
        .collect()
}

/// The accounts in a group and in the groups inside it, each once.
pub(super) fn transitive_users(groups: &[Group], group: usize) -> BTreeSet<usize> {
    expand(groups, group)
        .into_iter()
        .filter_map(|member| match member {
            Member::User(user) => Some(user),
            Member::Group(_) => None,
        })
        .collect()
}

/// Members and members of members. A group comes before its members.
pub(super) fn expand(groups: &[Group], group: usize) -> Vec<Member> {
    let mut found = Vec::new();
    let mut open = vec![group];
    while let Some(members) = open.pop().and_then(|group| groups.get(group)).map(|group| &group.members) {
        for member in members {
            if !found.contains(member) {
                found.push(*member);
                open.extend(match member {
                    Member::Group(group) => Some(*group),
                    Member::User(_) => None,
                });
            }
        }
    }
    found
}

/// The places of the groups that have this member.
pub(super) fn containing(groups: &[Group], member: Member) -> Vec<usize> {
    groups.iter().filter(|group| group.members.contains(&member)).map(|group| group.index).collect()
}

/// The places of the groups that have this member, and of those that have these groups, each once.
pub(super) fn containing_transitively(groups: &[Group], member: Member) -> Vec<usize> {
    let mut found = containing(groups, member);
    let mut next = 0;
    while let Some(group) = found.get(next).copied() {
        let above = containing(groups, Member::Group(group));
        found.extend(above.into_iter().filter(|it| !found.contains(it)).collect::<Vec<_>>());
        next += 1;
    }
    found
}

/// The members of the group at this place in the order of [`groups`].
fn members(seed: u64, index: usize, users: &[User]) -> Vec<Member> {
    let lists = text::LISTS.len();
    let departments = lists + text::DEPARTMENTS.len();
    let projects = departments + text::PROJECTS.len();
    let mut rng = Rng::of(seed, "group members", &[number(index)]);
    let staff = users.iter().filter(|user| user.account() == Account::Member);
    match index {
        0 => (1..=text::OFFICES.len()).map(Member::Group).collect(),
        list if list <= text::OFFICES.len() => {
            staff.filter(|user| user.office + 1 == list).map(|user| Member::User(user.index)).collect()
        }
        list if list < lists => {
            staff.filter(|_| rng.chance(8)).map(|user| Member::User(user.index)).collect()
        }
        department if department < departments => staff
            .filter(|user| user.department + lists == department)
            .map(|user| Member::User(user.index))
            .collect(),
        project if project < projects => {
            let guests = users.iter().filter(|user| user.account() == Account::Guest);
            staff.chain(guests).filter(|_| rng.chance(6)).map(|user| Member::User(user.index)).collect()
        }
        security => {
            let department = Member::Group(security + lists - projects);
            std::iter::once(department).chain([Member::User(rng.below(users.len()))]).collect()
        }
    }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::{GroupKind, Member, containing, containing_transitively, expand, groups, transitive_users};
    use crate::demo::tenant::people::{externals, users};

    #[test]
    fn forty_groups_of_every_kind() {
        let users = users(1, &externals(1));
        let groups = groups(1, &users);
        assert_eq!(groups.len(), 40);
        for kind in [GroupKind::List, GroupKind::MailSecurity, GroupKind::Security, GroupKind::Unified] {
            assert!(groups.iter().any(|group| group.kind() == kind), "{kind:?}");
        }
        assert!(groups.iter().all(|group| !group.members.is_empty()));
    }

    #[test]
    fn everyone_is_reached_through_the_offices() {
        let users = users(1, &externals(1));
        let groups = groups(1, &users);
        assert!(groups[0].members.iter().all(|member| matches!(member, Member::Group(_))));
        assert_eq!(transitive_users(&groups, 0).len(), 240);
    }

    #[test]
    fn groups_inside_each_other_do_not_loop() {
        let users = users(1, &externals(1));
        let mut groups = groups(1, &users);
        groups[1].members.push(Member::Group(0));
        assert!(expand(&groups, 0).contains(&Member::Group(0)));
        assert!(containing_transitively(&groups, Member::Group(0)).contains(&0));
    }

    #[test]
    fn somebody_is_in_the_groups_that_reach_them() {
        let users = users(1, &externals(1));
        let groups = groups(1, &users);
        let direct = containing(&groups, Member::User(0));
        let all = containing_transitively(&groups, Member::User(0));
        assert!(!direct.is_empty() && direct.len() < all.len());
        for group in &groups {
            assert_eq!(all.contains(&group.index), transitive_users(&groups, group.index).contains(&0));
        }
    }

    #[test]
    fn members_come_and_go() {
        let users = users(1, &externals(1));
        for group in &groups(1, &users) {
            assert!(!group.members.contains(&group.joined(1, 1, &users).unwrap()));
            assert!(group.members.contains(&group.left(1, 1).unwrap()));
        }
    }
}
