//! A connector for calendars that consists of a rules file only.

use serde_json::json;

use super::{Scratch, glassine, glassine_reading};

const CALENDAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/calendar.yaml");

#[test]
fn a_calendar_file_passes_with_the_right_permission_and_no_other() {
    let text = glassine(&["check", "--deny-warnings", CALENDAR]).fine();
    assert!(text.contains("ok, connector calendar"), "{text}");
    let scratch = Scratch::new();
    let rules = std::fs::read_to_string(CALENDAR).unwrap();
    let without = rules.replace("[Calendars.ReadBasic.All, Calendars.Read]", "MailboxSettings.Read");
    assert_ne!(rules, without);
    let file = scratch.write("calendar.yaml", without);
    glassine(&["check", &file]).fails(1, &["G0209", "add `Calendars.ReadBasic.All` to `permissions`"]);
}

#[test]
fn a_calendar_request_is_explained() {
    let target =
        "/v1.0/users/{user}/calendarView?startDateTime=2021-03-08T00:00:00Z&endDateTime=2021-03-15T00:00:00Z";
    let ran = glassine(&["explain", "--rules", CALENDAR, "--format", "json", target]);
    let json = ran.json();
    assert_eq!(
        (&json["decision"], &json["endpoint"]),
        (&json!("allow"), &json!("list-calendar-view")),
        "{json}"
    );
    // An event has the same id under each of its paths.
    assert_eq!(json["prefer"], json!(["IdType=\"ImmutableId\""]));
    let upstream = json["upstream"].as_str().unwrap();
    assert!(upstream.contains("$select=attendees%2C") && !upstream.contains("body"), "{upstream}");
}

#[test]
fn a_calendar_page_is_sanitized() {
    let page = json!({ "value": [{
        "id": "AAMk",
        "iCalUId": "040000008200E00074C5B7101A82E008",
        "subject": "The merger",
        "bodyPreview": "Dear Bob",
        "start": { "dateTime": "2021-03-09T13:00:00.0000000", "timeZone": "UTC" },
        "location": { "displayName": "Room of the board" },
        "organizer": { "emailAddress": { "name": "Alice", "address": "alice@contoso.com" } },
        "attendees": [{
            "type": "required",
            "status": { "response": "accepted", "time": "2021-03-01T00:00:00Z" },
            "emailAddress": { "name": "Bob", "address": "bob@contoso.com" }
        }]
    }]});
    let scratch = Scratch::new();
    let request = "/v1.0/users/alice@contoso.com/calendarView";
    let args = ["sanitize", "--rules", CALENDAR, "--keys", &scratch.keys(), "--request", request];
    let ran = glassine_reading(&args, &page.to_string());
    let event = &ran.json()["value"][0];
    assert_eq!(event["start"]["dateTime"], "2021-03-09T13:00:00.0000000");
    assert_eq!(event["subject"], json!({ "length": 10, "words": 2 }));
    assert_eq!(event["attendees"][0]["status"]["response"], "accepted");
    let organizer = event["organizer"]["emailAddress"]["address"].as_str().unwrap();
    assert!(organizer.starts_with("t~"), "{organizer}");
    for secret in ["merger", "Dear", "board", "Alice", "Bob", "alice@", "bob@", "AAMk", "0400"] {
        assert!(!ran.everything().contains(secret), "{secret}: {ran:?}");
    }
}
