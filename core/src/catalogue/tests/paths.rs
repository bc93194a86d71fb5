//! Where paths lead, and what they accept.

use super::*;

fn leads_to(version: Version, path: &str) -> Option<(&'static str, Shape)> {
    resolve(version, path).map(|resource| (resource.of.name, resource.shape))
}

#[test]
fn every_endpoint_of_the_projects_connectors_is_known() {
    for template in templates() {
        for version in [Version::V1, Version::Beta] {
            assert!(resolve(version, below_version(template)).is_some(), "{template}");
        }
        assert!(permissions::least_for(below_version(template)).is_some(), "{template}");
    }
}

#[test]
fn a_path_leads_through_navigation_keys_casts_functions_and_count() {
    for (path, of, shape) in [
        ("/users", "user", Shape::Many),
        ("/Users/{user}", "user", Shape::One),
        ("/users/delta", "user", Shape::Many),
        ("/users/$count", "user", Shape::Count),
        ("/me/messages", "message", Shape::Many),
        ("/users/{user}/mailboxSettings", "mailboxSettings", Shape::One),
        ("/users/{user}/mailFolders/inbox/messages/{message}", "message", Shape::One),
        ("/users/{user}/mailFolders/{folder}/childFolders", "mailFolder", Shape::Many),
        ("/users/{user}/messages/{message}/attachments", "attachment", Shape::Many),
        ("/users/{user}/manager", "directoryObject", Shape::One),
        ("/users/{user}/calendarView/delta()", "event", Shape::Many),
        ("/users/{user}/calendars/{calendar}/events/{event}/instances", "event", Shape::Many),
        ("/groups/{group}/members/microsoft.graph.user", "user", Shape::Many),
        ("/groups/{group}/members/microsoft.graph.user/$count", "user", Shape::Count),
        ("/places/microsoft.graph.room", "room", Shape::Many),
        ("/chats/{chat}/messages", "chatMessage", Shape::Many),
        ("/users/{user}/chats/getAllMessages/delta", "chatMessage", Shape::Many),
        ("/teams/{team}/channels/{channel}/messages/{message}/replies", "chatMessage", Shape::Many),
        (
            "/communications/callRecords/{call}/sessions/{session}/segments",
            "callRecords.segment",
            Shape::Many,
        ),
        (
            "/copilot/users/{user}/interactionHistory/getAllEnterpriseInteractions",
            "aiInteraction",
            Shape::Many,
        ),
        ("/drives/{drive}/root/delta", "driveItem", Shape::Many),
        ("/auditLogs/signIns", "signIn", Shape::Many),
    ] {
        assert_eq!(leads_to(Version::V1, path), Some((of, shape)), "{path}");
    }
}

#[test]
fn changes_are_asked_in_fewer_ways_than_lists() {
    let of = |path: &str| tracking(&resource(path));
    let messages = of("/users/{u}/mailFolders/{f}/messages/delta").unwrap();
    assert!(messages.filters("receivedDateTime", "ge") && messages.filters("RECEIVEDDATETIME", "gt"));
    assert!(!messages.filters("receivedDateTime", "le") && !messages.filters("isRead", "ge"));
    assert!(messages.orders("receivedDateTime", "desc") && !messages.orders("receivedDateTime", "asc"));
    assert_eq!(messages.filter().as_deref(), Some("{ receivedDateTime: [ge, gt] }"));
    assert_eq!(messages.order().as_deref(), Some("{ receivedDateTime: [desc] }"));
    let folders = of("/users/{u}/mailFolders/delta").unwrap();
    assert_eq!((folders.filter(), folders.order(), folders.tops()), (None, None, false));
    assert!(of("/groups/delta()").unwrap().filters("id", "eq") && of("/users/delta").unwrap().tops());
    assert!(of("/users/{u}/calendarView/delta").is_none(), "nothing is known of events");
    assert!(of("/users/{u}/mailFolders/{f}/messages").is_none(), "a list is no change");
    assert!(is_untracked("/users/{user}/messages/delta()") && is_untracked("/me/messages/delta"));
    assert!(!is_untracked("/users/{user}/mailFolders/{folder}/messages/delta"));
}

#[test]
fn delta_is_known_on_collections_and_on_files() {
    for path in ["/users/delta", "/users/{u}/mailFolders/{f}/messages/delta()", "/drives/{d}/root/delta"] {
        assert!(resource(path).is_delta, "{path}");
    }
    assert!(!resource("/users").is_delta);
}

#[test]
fn an_unknown_path_leads_nowhere() {
    for path in [
        "",
        "/",
        "users",
        "/user",
        "/users/{user}/mesages",
        "/users/{user}/messages/inbox",
        "/users/{user}/messages/{message}/{more}",
        "/users/{user}/delta",
        "/users/$count/delta",
        "/users/{user}/displayName",
        "/groups/{group}/members/microsoft.graph.message",
        "/groups/{group}/members/microsoft.graph.usr",
    ] {
        assert_eq!(leads_to(Version::V1, path), None, "{path}");
    }
}

#[test]
fn versions_have_paths_of_their_own() {
    let path = "/places/{place}/children";
    assert!(leads_to(Version::V1, path).is_none() && leads_to(Version::Beta, path).is_some());
}

#[test]
fn the_version_is_not_part_of_a_path() {
    assert_eq!(below_version("/{api}/users/{user}"), "/users/{user}");
    assert_eq!(below_version("/v1.0/users"), "/users");
    for none in ["", "/", "/v1.0", "users"] {
        assert_eq!(below_version(none), "");
    }
}

#[test]
fn a_path_says_what_it_accepts() {
    let says = |path, what| accepts(Version::V1, path, what);
    for path in [
        "/users/{u}/messages",
        "/users/{u}/calendarView/delta",
        "/users/{u}/calendars/{c}/events",
        "/me/events/{e}/instances",
    ] {
        assert_eq!(says(path, Accept::IdType), Some(true), "{path}");
        assert_eq!(says(path, Accept::ConsistencyLevel), Some(false), "{path}");
    }
    for path in ["/groups/{g}/events", "/users", "/chats/{c}/messages", "/users/{u}/mailboxSettings"] {
        assert_eq!(says(path, Accept::IdType), Some(false), "{path}");
    }
    for path in [
        "/users",
        "/groups/{g}/members",
        "/groups/{g}/members/microsoft.graph.user",
        "/users/$count",
        "/contacts",
    ] {
        assert_eq!(says(path, Accept::ConsistencyLevel), Some(true), "{path}");
    }
    assert_eq!(says("/users/delta", Accept::ConsistencyLevel), Some(false));
    for path in [
        "/users/{u}/calendarView/delta",
        "/users/{u}/calendars/{c}/calendarView/delta",
        "/chats/{c}/messages",
        "/teams/{t}/channels",
        "/copilot/users/{u}/interactionHistory/getAllEnterpriseInteractions",
        "/users/$count",
    ] {
        assert_eq!(says(path, Accept::Select), Some(false), "{path}");
    }
    for path in [
        "/users/{u}/calendarView",
        "/users/{u}/messages",
        "/users/delta",
        "/teams/{t}/channels/{c}",
        "/chats",
    ] {
        assert_eq!(says(path, Accept::Select), Some(true), "{path}");
    }
    assert_eq!(says("/unheard/of", Accept::Select), None);
}

#[test]
fn people_have_words_for_what_is_there() {
    for (path, words) in [
        ("/users/{u}/messages", "Messages"),
        ("/groups/{g}/members", "Members of groups"),
        ("/groups/{g}/members/microsoft.graph.user", "Members of groups"),
        ("/users/{u}/calendarView", "Calendar events"),
        ("/users/{u}/mailFolders/{f}/messageRules", "Mail rules"),
        ("/domains", "Domain"),
        ("/communications/callRecords/{c}/sessions", "Session"),
        ("/teams/{t}/installedApps", "Teams app installation"),
    ] {
        assert_eq!(title(&resource(path)), words, "{path}");
    }
    let names =
        |path| withheld(Version::V1, &resource(path)).into_iter().map(|it| it.words).collect::<Vec<_>>();
    assert!(names("/users/{u}/events").contains(&"subjects".into()));
    assert_eq!(names("/groups/{g}/members"), ["names"]);
    // Nobody has named these: they come from the classes.
    assert!(names("/teams/{t}/tags").contains(&"description".into()));
}

/// The least permission tells which service has the data: those of mailboxes are Exchange's.
#[test]
fn what_mailbox_permissions_open_is_of_a_mailbox_and_the_directory_is_not() {
    let of_mailboxes =
        ["Mail.Read", "Mail.ReadBasic.All", "Contacts.Read", "Calendars.Read", "MailboxSettings.Read"];
    let opened: Vec<_> = of_mailboxes.into_iter().flat_map(permissions::opened_by).collect();
    // No request can call a function with arguments.
    let behind_owner = |path: &&&str| {
        (path.starts_with("/users/{}/") || path.starts_with("/groups/{}/")) && !path.contains('(')
    };
    let of_owner: Vec<_> = opened.iter().filter(behind_owner).collect();
    assert!(of_owner.len() > 50, "{of_owner:?}");
    for path in of_owner {
        assert!(is_of_mailbox(path), "{path}");
    }
    for path in permissions::opened_by("User.Read.All").chain(permissions::opened_by("GroupMember.Read.All"))
    {
        let is_exchanges = path.contains("/photo") || path.contains("/outlook/");
        assert_eq!(is_of_mailbox(path), is_exchanges, "{path}");
    }
    for (path, expected) in [
        ("/users/{user}", false),
        ("/users/{user}/memberOf/microsoft.graph.group", false),
        ("/users/{user}/drive", false),
        ("/groups/{group}/members", false),
        ("/messages", false),
        ("/me/messages", true),
        ("/users/{user}/microsoft.graph.user/messages/$count", true),
        ("/Users/{user}/MailFolders/inbox/messages/delta()", true),
        ("/groups/{group}/threads", true),
    ] {
        assert_eq!(is_of_mailbox(path), expected, "{path}");
    }
}
