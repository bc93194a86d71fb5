//! Where rules' paths lead in objects.

use super::*;
use crate::rules::automaton::{Effect, Leaf};

/// `toRecipients[*].emailAddress.address` as steps.
fn steps(path: &str) -> Vec<Step<'_>> {
    let parts = path.split('.').flat_map(|part| {
        let (name, elements) = part.strip_suffix("[*]").map_or((part, false), |name| (name, true));
        let name = (!name.is_empty()).then_some(Step::Name(name));
        name.into_iter().chain(elements.then_some(Step::Elements))
    });
    parts.collect()
}

fn follow(version: Version, of: &str, path: &str) -> Walk {
    walk(version, type_named(version, of).unwrap(), &steps(path))
}

fn found(of: &str, path: &str) -> (Edm, Class) {
    match follow(Version::V1, of, path) {
        Walk::Found { property, .. } => (property.edm, property.class),
        other => panic!("{of} {path}: {other:?}"),
    }
}

#[test]
fn a_path_leads_to_a_property_with_its_type_and_class() {
    for (of, path, edm, class) in [
        ("message", "receivedDateTime", Edm::DateTimeOffset, Class::Metadata),
        ("message", "id", Edm::String, Class::Id),
        ("message", "subject", Edm::String, Class::Content),
        ("message", "toRecipients[*].emailAddress.address", Edm::String, Class::DirectIdentifier),
        ("message", "from.emailAddress.name", Edm::String, Class::DirectIdentifier),
        ("message", "importance", Edm::Enum("importance"), Class::Metadata),
        ("message", "body", Edm::Complex("itemBody"), Class::Content),
        ("message", "webLink", Edm::String, Class::Link),
        ("message", "attachments[*].size", Edm::Number("Int32"), Class::Metadata),
        // Of a type derived from message.
        ("message", "meetingMessageType", Edm::Enum("meetingMessageType"), Class::Metadata),
        ("directoryObject", "userPrincipalName", Edm::String, Class::DirectIdentifier),
        ("mailboxSettings", "workingHours.timeZone.name", Edm::String, Class::Metadata),
        ("event", "start.dateTime", Edm::String, Class::Metadata),
        ("event", "attendees[*].emailAddress.address", Edm::String, Class::DirectIdentifier),
        ("event", "attendees[*].status.response", Edm::Enum("responseType"), Class::Metadata),
        ("onlineMeeting", "joinMeetingIdSettings.passcode", Edm::String, Class::Secret),
    ] {
        assert_eq!(found(of, path), (edm, class), "{of} {path}");
    }
}

/// What an analyst of meetings needs and may have as it is.
#[test]
fn a_calendar_connector_keeps_metadata() {
    for path in [
        "allowNewTimeProposals",
        "attendees[*].status.time",
        "attendees[*].type",
        "end.timeZone",
        "hasAttachments",
        "hideAttendees",
        "importance",
        "isAllDay",
        "isCancelled",
        "isOnlineMeeting",
        "isOrganizer",
        "locations[*].locationType",
        "onlineMeetingProvider",
        "originalStart",
        "originalStartTimeZone",
        "recurrence.pattern.daysOfWeek[*]",
        "recurrence.pattern.interval",
        "recurrence.range.numberOfOccurrences",
        "reminderMinutesBeforeStart",
        "responseRequested",
        "responseStatus.response",
        "sensitivity",
        "showAs",
        "start.dateTime",
        "type",
    ] {
        assert_eq!(found("event", path).1, Class::Metadata, "{path}");
    }
    for path in [
        "subject",
        "bodyPreview",
        "location.displayName",
        "organizer.emailAddress.address",
        "iCalUId",
        "webLink",
    ] {
        assert_ne!(found("event", path).1, Class::Metadata, "{path}");
    }
}

#[test]
fn the_array_and_its_elements_are_told_apart() {
    let elements = |path| match follow(Version::V1, "group", path) {
        Walk::Found { property, elements } => (property.name, elements),
        other => panic!("{other:?}"),
    };
    assert_eq!(elements("groupTypes"), ("groupTypes", false));
    assert_eq!(elements("groupTypes[*]"), ("groupTypes", true));
}

#[test]
fn a_misspelt_name_finds_the_one_that_was_meant() {
    for (of, path, step, meant) in [
        ("message", "recievedDateTime", 0, "receivedDateTime"),
        ("message", "conversationID", 0, "conversationId"),
        ("message", "from.emailAdress.address", 1, "emailAddress"),
        ("message", "toRecipients[*].emailAddress.adress", 3, "address"),
        ("user", "userPrincipleName", 0, "userPrincipalName"),
        ("event", "isOrganiser", 0, "isOrganizer"),
    ] {
        let walk = follow(Version::V1, of, path);
        let is_meant = matches!(walk, Walk::Missing { at, nearest } if at == step && nearest == Some(meant));
        assert!(is_meant, "{path}: {walk:?}");
    }
    assert!(matches!(follow(Version::V1, "message", "colour"), Walk::Missing { at: 0, nearest: None }));
    assert!(matches!(follow(Version::V1, "message", "subject.text"), Walk::Missing { at: 1, nearest: None }));
}

#[test]
fn a_collection_needs_elements_and_nothing_else_has_them() {
    let path = "toRecipients.emailAddress.address";
    assert!(matches!(follow(Version::V1, "message", path), Walk::NeedsElements { at: 1 }));
    assert!(matches!(follow(Version::V1, "message", "subject[*]"), Walk::NotACollection { at: 1 }));
    assert!(matches!(follow(Version::V1, "message", "from[*].emailAddress"), Walk::NotACollection { at: 1 }));
}

#[test]
fn a_page_is_not_an_object() {
    assert!(matches!(follow(Version::V1, "message", "value[*].subject"), Walk::Envelope));
    assert!(matches!(follow(Version::V1, "internetMessageHeader", "value"), Walk::Found { .. }));
}

#[test]
fn annotations_extensions_and_untyped_values_are_left_alone() {
    let message = type_named(Version::V1, "message").unwrap();
    assert!(matches!(walk(Version::V1, message, &[Step::Name("@odata.type")]), Walk::Annotation));
    assert!(matches!(follow(Version::V1, "user", "extension_0123456789abcdef_badge"), Walk::Unknown));
    assert!(matches!(follow(Version::V1, "packageElement", "definition.anything"), Walk::Unknown));
    assert!(matches!(follow(Version::V1, "user", "customSecurityAttributes.Anything.at_all"), Walk::Unknown));
    assert!(matches!(walk(Version::V1, message, &[]), Walk::Unknown));
}

#[test]
fn versions_have_properties_of_their_own() {
    assert!(matches!(follow(Version::V1, "mailFolder", "wellKnownName"), Walk::OtherVersion { at: 0 }));
    assert!(matches!(follow(Version::Beta, "mailFolder", "wellKnownName"), Walk::Found { .. }));
    assert!(matches!(follow(Version::Beta, "contact", "mobilePhone"), Walk::OtherVersion { at: 0 }));
    let all: Vec<_> = members(Version::V1, "freeBusyStatus").collect();
    assert!(all.contains(&"oof") && !all.contains(&"away"));
    assert_eq!(members(Version::V1, "noSuchEnum").count(), 0);
}

#[test]
fn the_lists_know_their_own() {
    for code in [
        "ErrorItemNotFound",
        "InefficientFilter",
        "SyncStateNotFound",
        "syncStateNotFound",
        "RequestBroker--ParseUri",
    ] {
        assert_eq!(known_error_code(code), Some(code));
    }
    for code in
        ["InefficientFilter", "ErrorInvalidUrlQuery", "MailboxNotEnabledForRESTAPI", "ResourceNotFound"]
    {
        assert!(known_error_code(code).and_then(meaning).is_some(), "{code}");
    }
    assert_eq!(meaning("ErrorItemNotFound"), None);
    assert_eq!(known_error_code("erroritemnotfound"), None);
    assert_eq!(known_error_code("alice.contoso"), None);
    for zone in [
        "W. Europe Standard Time",
        "Alberta Standard Time",
        "UTC",
        "Europe/Berlin",
        "America/Argentina/Ushuaia",
        "tzone://Microsoft/Custom",
    ] {
        assert!(time_zones().any(|known| known == zone), "{zone}");
    }
    for none in ["", "Alice's Time", "europe/berlin", "# Names of time zones. Written by hand."] {
        assert!(time_zones().all(|known| known != none), "{none}");
    }
    assert!(well_known_folders().contains(&"inbox"));
}

/// Each place where something leaves, with its form and where it leads in the versions of its endpoint.
fn walks_of_the_connectors() -> Vec<(String, Leaf, Vec<Walk>)> {
    let files = [
        include_str!("../../../../rules/outlook-mail.yaml"),
        include_str!("../../../../rules/outlook-mail-metadata-only.yaml"),
    ];
    let mut all = Vec::new();
    for rules in files {
        for endpoint in crate::rules::compile("rules.yaml", rules).plan.unwrap().endpoints {
            let template = endpoint.template.to_string();
            let versions: Vec<_> =
                endpoint.params[0].one_of.iter().filter_map(|it| Version::parse(it)).collect();
            assert!(!versions.is_empty(), "{template}");
            for place in endpoint.inside() {
                let Effect::Leaves(leaf) = place.effect else { continue };
                let path = place.at.to_string();
                let path = path.trim_start_matches(['$', '.']);
                let types = endpoint.types();
                let follow = |version: &Version| {
                    let (_, of) = types.iter().find(|(own, _)| own == version).unwrap();
                    let is_annotation = path.contains('@');
                    if is_annotation { Walk::Annotation } else { walk(*version, of, &steps(path)) }
                };
                let walks = versions.iter().map(follow).collect();
                all.push((format!("{} {path}", endpoint.name), leaf, walks));
            }
        }
    }
    all
}

#[test]
fn the_projects_connectors_name_what_exists_and_keep_no_identifier() {
    let all = walks_of_the_connectors();
    assert!(all.len() > 200);
    for (place, leaf, walks) in all {
        for walk in &walks {
            match walk {
                Walk::Found { property, .. } => {
                    let is_harmless = matches!(property.class, Class::Metadata | Class::Parts);
                    assert!(!matches!(leaf, Leaf::Keep(_)) || is_harmless, "{place}: {:?}", property.class);
                }
                Walk::Annotation => {}
                // One shape for both versions.
                Walk::OtherVersion { .. } if walks.iter().any(|it| matches!(it, Walk::Found { .. })) => {}
                other => panic!("{place}: {other:?}"),
            }
        }
    }
}
