//! The lists that stood apart before the catalogue: it says the same, or the difference is here with its reason.

use std::collections::BTreeSet;

use super::super::types::schema;
use super::*;
use crate::graph::FUNCTIONS;
use crate::rules::template::Template;

/// `TITLES` and `PERSONAL` of the connection page.
const TITLES: [(&str, &str); 9] = [
    ("/users/{}/mailFolders/{}/childFolders", "Mail folders"),
    ("/users/{}/contactFolders", "Contact folders"),
    ("/users/{}/contacts", "Contacts"),
    ("/groups", "Groups"),
    ("/users/{}/mailboxSettings", "Mailbox settings"),
    ("/users/{}/mailFolders", "Mail folders"),
    ("/groups/{}/members", "Members of groups"),
    ("/users/{}/messages", "Messages"),
    ("/users", "Users"),
];

const PERSONAL: [(&str, &str, &str); 28] = [
    ("Contact folders", "displayName", "names of folders"),
    ("Contacts", "birthday", "birthdays"),
    ("Contacts", "displayName", "names"),
    ("Contacts", "homeAddress", "home addresses"),
    ("Contacts", "homePhones", "private phone numbers"),
    ("Contacts", "mobilePhone", "mobile phone numbers"),
    ("Contacts", "personalNotes", "notes"),
    ("Groups", "description", "descriptions"),
    ("Groups", "displayName", "names"),
    ("Mail folders", "displayName", "names of folders"),
    ("Mailbox settings", "automaticRepliesSetting.externalReplyMessage", "texts of automatic replies"),
    (
        "Mailbox settings",
        "automaticRepliesSetting.internalReplyMessage",
        "texts of internal automatic replies",
    ),
    ("Members of groups", "displayName", "names"),
    ("Messages", "attachments", "attachments"),
    ("Messages", "body", "texts"),
    ("Messages", "bodyPreview", "previews"),
    ("Messages", "categories", "categories"),
    ("Messages", "from.emailAddress.name", "names of senders"),
    ("Messages", "internetMessageHeaders", "header lines"),
    ("Messages", "subject", "subjects"),
    ("Messages", "toRecipients.emailAddress.name", "names of recipients"),
    ("Messages", "webLink", "links to messages"),
    ("Users", "businessPhones", "phone numbers"),
    ("Users", "displayName", "names"),
    ("Users", "employeeId", "employee ids"),
    ("Users", "jobTitle", "job titles"),
    ("Users", "mobilePhone", "mobile phone numbers"),
    ("Users", "streetAddress", "street addresses"),
];

#[test]
fn titles_and_what_is_withheld_are_the_same() {
    for (path, words) in TITLES {
        assert_eq!(title(&resource(path)), words, "{path}");
    }
    for (object, path, words) in PERSONAL {
        let (at, _) = TITLES.iter().find(|(_, title)| *title == object).unwrap();
        let all = withheld(Version::V1, &resource(at));
        assert!(all.iter().any(|it| it.path == path && it.words == words), "{object} {path}");
    }
}

#[test]
fn broader_permissions_are_the_nearest_first() {
    for (needed, broader) in [
        ("Mail.ReadBasic.All", &["Mail.Read", "Mail.ReadWrite"][..]),
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
        // Directory.Read.All opens no conversation, no channel message and no file of a group.
        ("Group.Read.All", &["Group.ReadWrite.All"]),
        ("User.Read.All", &["Directory.Read.All", "User.ReadWrite.All", "Directory.ReadWrite.All"]),
        ("Directory.Read.All", &["Directory.ReadWrite.All"]),
    ] {
        assert_eq!(permissions::broader_than(needed), broader, "{needed}");
        assert!(permissions::plain_words(needed).is_some(), "{needed}");
    }
}

/// `OUTLOOK_ITEMS` and `DIRECTORY_RELATIONS` of the check of endpoints.
#[test]
fn outlook_and_the_directory_are_where_they_were() {
    let outlook = ["messages", "mailFolders", "childFolders", "contacts", "contactFolders", "events"];
    for template in templates() {
        let path = below_version(template);
        let was = outlook.iter().any(|name| path.split('/').any(|segment| segment == *name));
        assert_eq!(accepts(Version::V1, path, Accept::IdType), Some(was), "{path}");
        let was = path.split('/').skip(1).all(|it| {
            ["users", "groups", "members", "transitiveMembers", "memberOf", "transitiveMemberOf", "delta"]
                .contains(&it)
                || it.starts_with('{')
                || it.starts_with("microsoft")
        });
        assert_eq!(is_directory(&resource(path)), was, "{path}");
    }
    // The old list left these out, so that one event had different ids under different paths.
    for path in ["/users/{}/calendarView", "/users/{}/calendars", "/users/{}/calendar/calendarView/delta"] {
        assert_eq!(accepts(Version::V1, path, Accept::IdType), Some(true), "{path}");
    }
    let relations = [
        "directReports",
        "manager",
        "memberOf",
        "members",
        "owners",
        "transitiveMemberOf",
        "transitiveMembers",
    ];
    let leads = |root: &str, name: &str| resolve(Version::V1, &format!("/{root}/{{}}/{name}"));
    for name in relations {
        let resource = leads("users", name).or_else(|| leads("groups", name)).unwrap();
        assert!(is_directory(&resource), "{name}");
    }
}

/// `BETA_ONLY` of what `$select` may name.
#[test]
fn the_properties_that_only_beta_has_are_the_same() {
    for (of, name) in [
        ("user", "cloudRealtimeCommunicationInfo"),
        ("contact", "flag"),
        ("contact", "gender"),
        ("contact", "isFavorite"),
        ("message", "mentionsPreview"),
        ("message", "unsubscribeData"),
        ("message", "unsubscribeEnabled"),
        ("mailboxSettings", "userPurposeV2"),
        ("mailFolder", "wellKnownName"),
    ] {
        let has = |version| property(version, type_named(version, of).unwrap(), name).is_some();
        assert!(has(Version::Beta) && !has(Version::V1), "{of} {name}");
    }
    let has = |of, name| property(Version::V1, type_named(Version::V1, of).unwrap(), name).is_some();
    assert!(has("message", "flag") && has("group", "isFavorite"));
}

/// What the schema calls a function is one in requests and templates, unless it needs arguments.
#[test]
fn functions_are_those_that_a_path_may_call() {
    let with_arguments = ["getAllRecordings", "getAllTranscripts", "getDirectRoutingCalls", "getPstnCalls"];
    let known = schema().functions.iter().map(|function| function.name);
    let callable: BTreeSet<_> = known.filter(|name| !with_arguments.contains(name)).collect();
    assert_eq!(callable, BTreeSet::from(FUNCTIONS));
    for name in FUNCTIONS {
        let template = Template::parse(&format!("/v1.0/users/{name}")).unwrap();
        assert_eq!(template, Template::parse(&format!("/v1.0/users/{name}()")).unwrap());
        assert_eq!(template.to_string(), format!("/v1.0/users/{name}()"));
    }
}

#[test]
fn delta_is_a_function_in_targets_templates_and_here() {
    let template = Template::parse("/v1.0/users/delta").unwrap();
    assert!(template.is_delta());
    assert!(resource("/users/delta").is_delta && resource("/users/delta()").is_delta);
}
