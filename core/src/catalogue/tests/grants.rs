//! Permissions: which open a path, which open more.

use super::super::permissions::{
    adds_to_others, broader_than, gives, is_for_mailboxes, is_known, least_for, least_giving, opened_by,
    opens, opens_path, plain_words, writes,
};
use super::*;

fn least(path: &str) -> Option<&'static str> {
    least_for(path).and_then(|names| names.first().copied())
}

#[test]
fn each_path_has_its_least_permission() {
    for (path, name) in [
        ("/users/{u}/calendarView", "Calendars.ReadBasic.All"),
        ("/users/{u}/calendarView/delta", "Calendars.ReadBasic.All"),
        ("/users/{u}/events/{e}", "Calendars.ReadBasic.All"),
        ("/users/{u}/calendars/{c}/events", "Calendars.ReadBasic.All"),
        ("/users/{u}/events/{e}/attachments", "Calendars.Read"),
        ("/me/messages", "Mail.ReadBasic.All"),
        ("/users/{u}/mailFolders/{f}/childFolders/{g}/childFolders/{h}/messages", "Mail.ReadBasic.All"),
        ("/users/{u}/mailFolders/inbox/messages", "Mail.ReadBasic.All"),
        ("/users/{u}/mailFolders/inbox/messageRules", "MailboxSettings.Read"),
        ("/users/{u}/messages/{m}/attachments", "Mail.Read"),
        ("/groups", "Group.ReadBasic.All"),
        ("/groups/{g}/members", "GroupMember.ReadBasic.All"),
        ("/groups/{g}/members/microsoft.graph.user/$count", "GroupMember.ReadBasic.All"),
        ("/users/{u}/transitiveMemberOf", "GroupMember.ReadBasic.All"),
        ("/users/delta()", "User.Read.All"),
        ("/users/{u}/manager", "User.Read.All"),
        ("/users/{u}/licenseDetails", "LicenseAssignment.Read.All"),
        ("/organization/{o}", "Organization.Read.All"),
        ("/contacts", "OrgContact.Read.All"),
        ("/drives/{d}/items/{i}", "Files.Read.All"),
        ("/communications/callRecords/{c}", "CallRecords.Read.All"),
        ("/chats/{c}/messages", "Chat.Read.All"),
        ("/teams/{t}/channels", "Channel.ReadBasic.All"),
        (
            "/copilot/users/{u}/interactionHistory/getAllEnterpriseInteractions",
            "AiEnterpriseInteraction.Read.All",
        ),
    ] {
        assert_eq!(least(path), Some(name), "{path}");
    }
}

#[test]
fn an_unknown_path_gets_no_advice() {
    for path in ["", "/", "/users/{u}/unheardOf", "/unheardOf", "/users/{u}/messages/{m}/unheardOf", "users"]
    {
        assert_eq!(least_for(path), None, "{path}");
        assert_eq!(opens_path("Directory.Read.All", path), None, "{path}");
    }
}

#[test]
fn the_permission_must_give_what_leaves() {
    let user = type_named(Version::V1, "user").unwrap();
    let message = resource("/users/{u}/messages").of;
    assert_eq!(least_giving("/users", user, &["id", "mail"]), Some("User.ReadBasic.All"));
    assert_eq!(least_giving("/users", user, &["id", "accountEnabled"]), Some("User.Read.All"));
    assert_eq!(least_giving("/users/{u}/messages", message, &["subject"]), Some("Mail.ReadBasic.All"));
    assert_eq!(least_giving("/users/{u}/messages", message, &["bodyPreview"]), Some("Mail.Read"));
    let event_message = type_named(Version::V1, "eventMessage").unwrap();
    assert_eq!(gives("Mail.ReadBasic", event_message, "body"), Some(false));
    assert_eq!(gives("Calendars.ReadBasic.All", message, "body"), Some(true), "a limit is for its own type");
}

/// The least that is sure to do: nobody has published what the smaller ones give.
#[test]
fn a_permission_with_unpublished_limits_opens_and_is_not_advised() {
    for path in ["/groups", "/groups/{g}/members", "/groups/{g}/members/microsoft.graph.user"] {
        let of = resource(path).of;
        assert_eq!(gives("Group.ReadBasic.All", of, "mail"), None);
        assert_eq!(opens_path("Group.ReadBasic.All", path), Some(true), "{path}");
        assert_eq!(least_giving(path, of, &["id", "mail"]), Some("GroupMember.Read.All"), "{path}");
    }
}

#[test]
fn a_broader_permission_opens_what_a_narrower_one_does() {
    for (granted, needed) in [
        ("Mail.Read", "Mail.ReadBasic.All"),
        ("Mail.ReadWrite", "Mail.ReadBasic.All"),
        ("Mail.ReadBasic", "Mail.ReadBasic.All"),
        ("Calendars.ReadBasic", "Calendars.ReadBasic.All"),
        ("Calendars.ReadWrite", "Calendars.ReadBasic.All"),
        ("Group.ReadWrite.All", "GroupMember.ReadBasic.All"),
        ("Directory.ReadWrite.All", "User.Read.All"),
        ("Unheard.Of", "Unheard.Of"),
    ] {
        assert!(opens(granted, needed), "{granted} {needed}");
        assert!(
            granted == needed
                || !opens(needed, granted)
                || granted == "Mail.ReadBasic"
                || granted == "Calendars.ReadBasic"
        );
    }
    for (granted, needed) in [
        ("User.Read.All", "Mail.Read"),
        ("MailboxSettings.Read", "Mail.Read"),
        ("User.Read.All", "Calendars.ReadBasic.All"),
    ] {
        assert!(!opens(granted, needed), "{granted} {needed}");
    }
}

#[test]
fn user_read_all_opens_no_calendar() {
    assert_eq!(opens_path("User.Read.All", "/users/{u}/calendarView"), Some(false));
    assert_eq!(opens_path("Calendars.ReadBasic.All", "/users/{u}/calendarView"), Some(true));
    assert_eq!(opens_path("Calendars.ReadWrite", "/users/{u}/calendarView"), Some(true));
    assert_eq!(opens_path("Directory.Read.All", "/teams/{t}/channels/{c}/messages"), Some(false));
}

#[test]
fn what_a_permission_opens_is_what_opens_under_it() {
    let opened: Vec<_> = opened_by("Mail.ReadBasic.All").collect();
    assert!(opened.contains(&"/users/{}/messages") && !opened.contains(&"/users/{}/messages/{}/attachments"));
    assert_eq!(opened_by("Unheard.Of").count(), 0);
}

#[test]
fn the_names_say_what_a_permission_is() {
    assert!(writes("Mail.ReadWrite") && writes("Mail.Send") && !writes("Mail.Read"));
    assert!(is_for_mailboxes("Calendars.Read") && !is_for_mailboxes("User.Read.All"));
    assert!(is_known("Mail.Read") && is_known("Files.ReadWrite.All") && !is_known("Mail.Raed"));
    assert!(plain_words("Calendars.ReadBasic.All").is_some() && plain_words("Unheard.Of").is_none());
}

/// Each step of the ladder holds for every path: who has the broader permission opens what the narrower one opens.
#[test]
fn the_ladder_agrees_with_the_paths() {
    for line in include_str!("../../../data/ladder.txt").lines().filter(|line| !line.starts_with('#')) {
        let (name, words) = line.split_once(" | ").unwrap();
        let name = name.split(' ').next().unwrap();
        assert_eq!(plain_words(name), Some(words));
        assert!(opened_by(name).next().is_some() || adds_to_others(name), "{name}");
        for broader in broader_than(name).iter().filter(|broader| !broader.starts_with("Directory.")) {
            let left_out: Vec<_> =
                opened_by(name).filter(|path| opens_path(broader, path) != Some(true)).collect();
            assert!(left_out.is_empty(), "{name} < {broader}: {left_out:?}");
        }
    }
}
