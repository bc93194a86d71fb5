//! What is known of Microsoft Graph's application permissions: which open more than others, and which can change data.
//!
//! Source: the Microsoft Graph permissions reference (<https://learn.microsoft.com/graph/permissions-reference>). Only
//! the permissions of mail, contacts, mailbox settings, groups and users are here. Of others this program knows
//! nothing.

use super::plan::Permission;
use super::template::Template;

/// The least application permission that opens an endpoint. The first row whose segment occurs decides.
const NEEDED: &[(&str, &str)] = &[
    ("mailboxSettings", "MailboxSettings.Read"),
    ("messages", "Mail.ReadBasic.All"),
    ("mailFolders", "Mail.ReadBasic.All"),
    ("contacts", "Contacts.Read"),
    ("contactFolders", "Contacts.Read"),
    ("groups", "GroupMember.Read.All"),
    ("users", "User.Read.All"),
];

/// A permission and its broader ones, the nearest first. A broader permission opens all that this one opens, and more.
const BROADER: &[(&str, &[&str])] = &[
    ("Mail.ReadBasic.All", &["Mail.Read", "Mail.ReadWrite"]),
    ("Mail.Read", &["Mail.ReadWrite"]),
    ("MailboxSettings.Read", &["MailboxSettings.ReadWrite"]),
    ("Contacts.Read", &["Contacts.ReadWrite"]),
    (
        "GroupMember.Read.All",
        &[
            "Group.Read.All",
            "Directory.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.ReadWrite.All",
            "Directory.ReadWrite.All",
        ],
    ),
    ("Group.Read.All", &["Directory.Read.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"]),
    ("User.Read.All", &["Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"]),
    ("Directory.Read.All", &["Directory.ReadWrite.All"]),
];

/// What Microsoft lets an application do with a permission, in plain words.
const WORDS: &[(&str, &str)] = &[
    ("Contacts.Read", "read the contacts of every mailbox"),
    ("Directory.Read.All", "read the whole directory: users, groups, applications and more"),
    ("Group.Read.All", "read every group, with its conversations, files and Teams messages"),
    ("GroupMember.Read.All", "read every group's name and members"),
    ("Mail.Read", "read all mail of every mailbox, with texts and attachments"),
    ("Mail.ReadBasic.All", "read mail of every mailbox without texts, previews and attachments"),
    ("MailboxSettings.Read", "read the settings of every mailbox"),
    ("User.Read.All", "read every user's profile"),
];

/// A permission with one of these words in its name allows more than reading.
const WRITING: [&str; 4] = ["ReadWrite", "Send", "Manage", "FullControl"];

/// Prefixes of the permissions that Exchange can grant for single mailboxes (RBAC for Applications). No token shows
/// such a grant.
const MAILBOX: [&str; 3] = ["Mail.", "MailboxSettings.", "Contacts."];

/// The least permission that opens an endpoint; `None` if this program does not know.
pub fn least_for(template: &Template) -> Option<&'static str> {
    NEEDED.iter().find(|(segment, _)| template.names(segment)).map(|(_, permission)| *permission)
}

/// What Microsoft lets an application do with the permission, as in "may …"; `None` if this program does not know.
pub fn plain_words(permission: &str) -> Option<&'static str> {
    WORDS.iter().find(|(name, _)| *name == permission).map(|(_, words)| *words)
}

/// The permissions that open all that `permission` opens and more, the nearest first. Empty if this program knows none.
pub fn broader_than(permission: &str) -> &'static [&'static str] {
    BROADER.iter().find(|(name, _)| *name == permission).map_or(&[], |(_, broader)| broader)
}

/// Whether the permission `granted` opens all that `permission` opens.
pub fn opens(granted: &str, permission: &str) -> bool {
    granted == permission || broader_than(permission).contains(&granted)
}

/// Whether the permission, or one of its alternatives, opens an endpoint; `false` if this program does not know.
pub fn opens_template(permission: &Permission, template: &Template) -> bool {
    let least = least_for(template);
    least.is_some_and(|least| permission.any_of.iter().any(|name| opens(name, least)))
}

/// Whether the permission can change the tenant, by its name.
pub fn writes(permission: &str) -> bool {
    WRITING.iter().any(|word| permission.contains(word))
}

/// Whether Exchange can grant the permission for single mailboxes, which no token shows.
pub fn is_for_mailboxes(permission: &str) -> bool {
    MAILBOX.iter().any(|prefix| permission.starts_with(prefix))
}
