//! What a bearer token opens on Graph: endpoints by application permission, mailboxes by an application access policy.
//!
//! Sources: the permission tables of each operation, such as <https://learn.microsoft.com/graph/api/user-list-messages>,
//! and <https://learn.microsoft.com/exchange/permissions-exo/application-rbac> on mailboxes. What `Mail.ReadBasic.All`
//! leaves out is in <https://learn.microsoft.com/graph/permissions-reference>: "except for body, previewBody, attachments
//! and any extended properties", and no searching.

use std::collections::HashSet;

use serde_json::Value;

use super::fault::Fault;
use super::groups::Group;
use super::odata::Options;
use super::people::User;
use super::route::Segment;

/// What a request may do. If no token is required, a request without one may do everything.
#[derive(Debug, Default)]
pub(super) struct Access {
    granted: Option<Granted>,
}

#[derive(Debug)]
struct Granted {
    roles: Vec<String>,
    /// The object ids of the only users whose mailboxes are open, if a policy limits them.
    mailboxes: Option<HashSet<String>>,
}

/// What a permission opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    Contacts,
    Groups,
    /// Who is in a group with hidden membership.
    HiddenMembers,
    /// Attachments and whole messages.
    MailContent,
    /// Folders, and messages without content.
    Mail,
    MailboxSettings,
    /// The groups that somebody is in.
    MemberOf,
    Organization,
    Users,
}

/// What `Mail.ReadBasic.All` does not show of a message.
const CONTENT: &[&str] = &[
    "attachments",
    "body",
    "bodyPreview",
    "extensions",
    "multiValueExtendedProperties",
    "singleValueExtendedProperties",
    "uniqueBody",
];

impl Area {
    fn permissions(self) -> &'static [&'static str] {
        match self {
            Area::Contacts => &["Contacts.Read", "Contacts.ReadWrite"],
            Area::Groups => &[
                "GroupMember.Read.All",
                "Group.Read.All",
                "Directory.Read.All",
                "GroupMember.ReadWrite.All",
                "Group.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
            Area::HiddenMembers => &["Member.Read.Hidden"],
            Area::MailContent => &["Mail.Read", "Mail.ReadWrite"],
            Area::Mail => &["Mail.ReadBasic.All", "Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite"],
            Area::MailboxSettings => &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
            Area::MemberOf => &[
                "GroupMember.Read.All",
                "Group.Read.All",
                "User.Read.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Area::Organization => &[
                "Organization.Read.All",
                "User.Read.All",
                "Directory.Read.All",
                "Organization.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
            Area::Users => {
                &["User.Read.All", "Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"]
            }
        }
    }

    /// The directory and Exchange have different error texts.
    fn fault(self) -> Fault {
        match self {
            Area::Groups | Area::HiddenMembers | Area::MemberOf | Area::Organization | Area::Users => {
                Fault::RequestDenied
            }
            Area::Contacts | Area::MailContent | Area::Mail | Area::MailboxSettings => Fault::AccessDenied,
        }
    }

    /// The kind of resource that a path names. `None` if there is no such resource.
    fn of(segments: &[Segment]) -> Option<Area> {
        let has = |name: &str| segments.iter().skip(2).any(|segment| segment.is(name));
        let first = segments.first()?;
        if first.is("groups") {
            Some(Area::Groups)
        } else if first.is("organization") {
            Some(Area::Organization)
        } else if !first.is("users") {
            None
        } else if has("memberOf") || has("transitiveMemberOf") {
            Some(Area::MemberOf)
        } else if has("mailboxSettings") {
            Some(Area::MailboxSettings)
        } else if has("contacts") || has("contactFolders") {
            Some(Area::Contacts)
        } else if has("attachments") || has("$value") {
            Some(Area::MailContent)
        } else if has("messages") || has("mailFolders") {
            Some(Area::Mail)
        } else {
            Some(Area::Users)
        }
    }
}

impl Access {
    /// The access of a token with these roles.
    pub(super) fn granted(roles: Vec<String>, mailboxes: Option<HashSet<String>>) -> Access {
        Access { granted: Some(Granted { roles, mailboxes }) }
    }

    /// Refuses a request that no role opens.
    pub(super) fn check(&self, segments: &[Segment], options: &Options) -> Result<(), Fault> {
        let Some(area) = Area::of(segments) else { return Ok(()) };
        self.require(area)?;
        let selected = options.select().unwrap_or_default();
        let settings = selected.iter().any(|name| name.eq_ignore_ascii_case("mailboxSettings"));
        if area == Area::Users && settings {
            self.require(Area::MailboxSettings)?;
        }
        if area == Area::Mail && self.hides_content() && asks_for_content(options) {
            return Err(Fault::AccessDenied);
        }
        Ok(())
    }

    /// Refuses a mailbox that a policy closes to the application.
    pub(super) fn check_mailbox(&self, owner: &User) -> Result<(), Fault> {
        let policy = self.granted.as_ref().and_then(|granted| granted.mailboxes.as_ref());
        let open = policy.is_none_or(|mailboxes| mailboxes.contains(owner.id()));
        if open { Ok(()) } else { Err(Fault::MailboxPolicy) }
    }

    /// Whether this token shows who is in the group.
    pub(super) fn shows_members(&self, group: &Group) -> bool {
        !group.has_hidden_members() || self.has(Area::HiddenMembers)
    }

    /// Removes the properties of a message that this token does not show.
    pub(super) fn hide_content(&self, message: &mut Value) {
        if let (true, Value::Object(members)) = (self.hides_content(), message) {
            members.retain(|name, _| !CONTENT.contains(&name.as_str()));
        }
    }

    fn hides_content(&self) -> bool {
        !self.has(Area::MailContent)
    }

    fn require(&self, area: Area) -> Result<(), Fault> {
        if self.has(area) {
            return Ok(());
        }
        Err(match area.fault() {
            Fault::AccessDenied if self.is_empty() => Fault::NoPermissions,
            fault => fault,
        })
    }

    /// Whether the token has no permission at all.
    fn is_empty(&self) -> bool {
        self.granted.as_ref().is_some_and(|granted| granted.roles.is_empty())
    }

    fn has(&self, area: Area) -> bool {
        let opens = |role: &String| area.permissions().contains(&role.as_str());
        self.granted.as_ref().is_none_or(|granted| granted.roles.iter().any(opens))
    }
}

/// Whether the response would depend on hidden properties.
fn asks_for_content(options: &Options) -> bool {
    let depends = |option: &str| {
        let value = options.value(option).unwrap_or_default().to_lowercase();
        CONTENT.iter().any(|name| value.contains(&name.to_lowercase()))
    };
    options.value("search").is_some() || ["filter", "orderby", "expand"].into_iter().any(depends)
}
