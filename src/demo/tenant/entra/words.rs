//! The texts of Microsoft's permission page for application permissions.
//!
//! Source: <https://learn.microsoft.com/graph/permissions-reference>.

/// Name, title, description.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "Contacts.Read",
        "Read contacts in all mailboxes",
        "Allows the app to read all contacts in all mailboxes without a signed-in user.",
    ),
    (
        "Directory.Read.All",
        "Read directory data",
        "Allows the app to read data in your organization's directory, such as users, groups and apps, without a signed-in user.",
    ),
    (
        "Group.Read.All",
        "Read all groups",
        "Allows the app to read group properties and memberships, and read conversations for all groups, without a signed-in user.",
    ),
    (
        "GroupMember.Read.All",
        "Read all group memberships",
        "Allows the app to read memberships and basic group properties for all groups without a signed-in user.",
    ),
    (
        "Mail.Read",
        "Read mail in all mailboxes",
        "Allows the app to read mail in all mailboxes without a signed-in user.",
    ),
    (
        "Mail.ReadBasic.All",
        "Read basic mail in all mailboxes",
        "Allows the app to read basic mail properties in all mailboxes without a signed-in user. Includes all properties except body, previewBody, attachments and any extended properties.",
    ),
    (
        "Mail.ReadWrite",
        "Read and write mail in all mailboxes",
        "Allows the app to create, read, update, and delete mail in all mailboxes without a signed-in user. Does not include permission to send mail.",
    ),
    (
        "MailboxSettings.Read",
        "Read all user mailbox settings",
        "Allows the app to read user's mailbox settings without a signed-in user. Does not include permission to send mail.",
    ),
    (
        "User.Read.All",
        "Read all users' full profiles",
        "Allows the app to read user profiles without a signed in user.",
    ),
];

/// Title and description. For a permission that is not in the list: its name.
pub(super) fn words(permission: &str) -> (&str, &str) {
    let known = WORDS.iter().find(|(name, ..)| *name == permission);
    known.map_or((permission, ""), |(_, title, description)| (*title, *description))
}
