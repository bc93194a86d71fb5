//! The lists that stood apart before the catalogue: it says the same, or the difference is here with its reason.

use super::*;
use crate::rules::permissions as before;
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

/// The least permissions are those of before, but for two kinds of path that have smaller ones now.
#[test]
fn the_least_permissions_are_the_same_or_smaller() {
    for template in templates() {
        let old = before::least_for(&Template::parse(template).unwrap()).unwrap();
        let path = below_version(template);
        let new = permissions::least_for(path).unwrap()[0];
        let reason = match new {
            "Group.ReadBasic.All" | "GroupMember.ReadBasic.All" => {
                Some("new in 2026, for names and members only")
            }
            // Only for the basic profile: `least_giving` says `User.Read.All` if anything else leaves.
            "User.ReadBasic.All" => Some("the source names it"),
            _ => None,
        };
        assert_eq!(new != old, reason.is_some(), "{template}: {old} {new}");
        assert!(permissions::opens(old, new), "{template}: {old} {new}");
        assert_eq!(permissions::opens_path(old, path), Some(true), "{template}: {old}");
    }
}

/// What `NEEDED` said of paths that it did not know, as `/users/{user}/calendarView`: the permission of `/users`.
#[test]
fn a_calendar_no_longer_needs_user_read_all() {
    let template = "/{api}/users/{user}/calendarView";
    assert_eq!(before::least_for(&Template::parse(template).unwrap()), Some("User.Read.All"));
    assert_eq!(permissions::least_for(below_version(template)).unwrap()[0], "Calendars.ReadBasic.All");
}

#[test]
fn broader_permissions_are_the_same() {
    for needed in [
        "Mail.ReadBasic.All",
        "Mail.Read",
        "MailboxSettings.Read",
        "Contacts.Read",
        "GroupMember.Read.All",
        "Group.Read.All",
        "User.Read.All",
        "Directory.Read.All",
    ] {
        let new = permissions::broader_than(needed);
        for old in before::broader_than(needed) {
            // It opens no conversation, no channel message and no file of a group, which Group.Read.All does.
            let is_wrong = needed == "Group.Read.All" && old.starts_with("Directory.");
            assert_eq!(new.contains(old), !is_wrong, "{needed} {old}");
        }
        assert!(new.iter().all(|name| before::broader_than(needed).contains(name)), "{needed} {new:?}");
        assert!(before::plain_words(needed).is_some());
        assert_eq!(permissions::plain_words(needed), before::plain_words(needed), "{needed}");
    }
}

#[test]
fn the_names_say_the_same() {
    for name in [
        "Mail.Read",
        "Mail.ReadWrite",
        "Mail.Send",
        "Sites.Manage.All",
        "Sites.FullControl.All",
        "User.Read.All",
    ] {
        assert_eq!(permissions::writes(name), before::writes(name), "{name}");
    }
    for name in ["Mail.Read", "MailboxSettings.Read", "Contacts.Read", "User.Read.All", "Directory.Read.All"]
    {
        assert_eq!(permissions::is_for_mailboxes(name), before::is_for_mailboxes(name), "{name}");
    }
    // Exchange grants calendars for some mailboxes, too; the old list knew no calendars.
    assert!(permissions::is_for_mailboxes("Calendars.Read") && !before::is_for_mailboxes("Calendars.Read"));
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
            ["users", "groups", "members", "delta"].contains(&it)
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

/// The functions of paths: the parser of targets and templates know `delta` alone.
#[test]
fn delta_is_a_function_in_targets_templates_and_here() {
    let template = Template::parse("/v1.0/users/delta").unwrap();
    assert!(template.is_delta());
    assert!(resource("/users/delta").is_delta && resource("/users/delta()").is_delta);
}
