//! What is known of Microsoft Graph's application permissions: which open more than others, and which can change data.
//!
//! Source: the Microsoft Graph permissions reference (<https://learn.microsoft.com/graph/permissions-reference>). Only
//! the permissions of mail, contacts, mailbox settings, groups and users are here; of others nothing is claimed.

/// A permission, and those that open all that it opens and more, the nearest first.
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

/// What a permission's name has if it opens more than reading.
const WRITING: [&str; 4] = ["ReadWrite", "Send", "Manage", "FullControl"];

/// Permissions whose mailboxes Exchange can decide (RBAC for Applications). A grant made there is in no token.
const MAILBOX: [&str; 3] = ["Mail.", "MailboxSettings.", "Contacts."];

/// The permissions that open all that `permission` opens and more, the nearest first; none if they are not known.
pub fn broader_than(permission: &str) -> &'static [&'static str] {
    BROADER.iter().find(|(name, _)| *name == permission).map_or(&[], |(_, broader)| broader)
}

/// Whether who has `granted` may do what `permission` opens.
pub fn opens(granted: &str, permission: &str) -> bool {
    granted == permission || broader_than(permission).contains(&granted)
}

/// Whether the permission can change the tenant, by its name.
pub fn writes(permission: &str) -> bool {
    WRITING.iter().any(|word| permission.contains(word))
}

/// Whether Exchange can grant the permission for some mailboxes only, where a token does not show it.
pub fn is_for_mailboxes(permission: &str) -> bool {
    MAILBOX.iter().any(|prefix| permission.starts_with(prefix))
}
