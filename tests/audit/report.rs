//! `audit report`: which rules served whom, from when until when.

use glassine::audit::Report;
use serde_json::{Value, json};

const FIRST: &str = "1111111111111111aaaaaaaaaaaaaaaa1111111111111111aaaaaaaaaaaaaaaa";
const SECOND: &str = "2222222222222222bbbbbbbbbbbbbbbb2222222222222222bbbbbbbbbbbbbbbb";

fn event(time: &str, event: &str, served: &[(&str, Option<&str>)]) -> Value {
    let served = served.iter().map(|(consumer, rules)| json!({ "consumer": consumer, "rules": rules }));
    json!({ "time": time, "event": event, "consumers": served.collect::<Vec<_>>() })
}

fn request(time: &str, consumer: &str, rules: Option<&str>, decision: &str) -> Value {
    json!({ "time": time, "consumer": consumer, "rules": rules.map(|it| &it[..16]), "decision": decision })
}

/// Consumer, rules, from, until, allowed and refused of each period.
type Row<'a> = (&'a str, Option<&'a str>, &'a str, Option<&'a str>, u64, u64);

#[track_caller]
fn assert_reports(lines: &[Value], expected: &[Row<'_>]) {
    let mut report = Report::default();
    lines.iter().for_each(|line| report.add(line.to_string().as_bytes()));
    let rows = report.periods.iter().map(|it| {
        let (rules, until) = (it.rules.as_deref(), it.until.as_deref());
        (it.consumer.as_str(), rules, it.from.as_str(), until, it.requests.allowed, it.requests.refused)
    });
    assert_eq!(rows.collect::<Vec<Row<'_>>>(), expected);
}

#[test]
fn a_restart_with_the_same_rules_goes_on_with_their_period() {
    let lines = [
        event("t1", "start", &[("a", Some(FIRST))]),
        request("t2", "a", Some(FIRST), "allowed"),
        event("t3", "stop", &[]),
        event("t4", "start", &[("a", Some(FIRST))]),
        request("t5", "a", Some(FIRST), "refused"),
    ];
    assert_reports(&lines[..3], &[("a", Some(FIRST), "t1", Some("t3"), 1, 0)]);
    assert_reports(&lines, &[("a", Some(FIRST), "t1", None, 1, 1)]);
}

#[test]
fn a_crash_ends_the_periods_at_the_last_record_if_other_rules_follow() {
    let lines = [
        event("t1", "start", &[("a", Some(FIRST)), ("b", Some(FIRST))]),
        request("t2", "a", Some(FIRST), "allowed"),
        event("t4", "start", &[("a", Some(SECOND))]),
    ];
    let expected = [
        ("a", Some(FIRST), "t1", Some("t2"), 1, 0),
        ("b", Some(FIRST), "t1", Some("t2"), 0, 0),
        ("a", Some(SECOND), "t4", None, 0, 0),
    ];
    assert_reports(&lines, &expected);
}

#[test]
fn each_request_counts_for_its_own_rules_wherever_it_stands() {
    let lines = [
        event("t1", "start", &[("a", Some(FIRST))]),
        event("t3", "reload", &[("a", Some(SECOND))]),
        request("t2", "a", Some(FIRST), "allowed"),
        request("t4", "a", Some(SECOND), "allowed"),
        event("t5", "reload", &[("a", Some(FIRST))]),
        request("t6", "a", Some(FIRST), "allowed"),
        event("t7", "reload", &[("a", None)]),
    ];
    let expected = [
        ("a", Some(FIRST), "t1", Some("t3"), 1, 0),
        ("a", Some(SECOND), "t3", Some("t5"), 1, 0),
        ("a", Some(FIRST), "t5", Some("t7"), 1, 0),
    ];
    assert_reports(&lines, &expected);
}

/// Two consumers may have rules with one short fingerprint, and a log may be of a version that recorded none.
#[test]
fn requests_without_an_event_make_their_own_period() {
    let lines = [
        request("t1", "a", None, "allowed"),
        request("t2", "a", None, "allowed"),
        request("t3", "b", Some(FIRST), "allowed"),
        event("t4", "start", &[("a", Some(FIRST)), ("b", Some(FIRST))]),
        request("t5", "b", Some(FIRST), "allowed"),
    ];
    let expected = [
        ("a", None, "t1", Some("t3"), 2, 0),
        ("b", Some(FIRST), "t3", None, 2, 0),
        ("a", Some(FIRST), "t4", None, 0, 0),
    ];
    assert_reports(&lines, &expected);
}

#[test]
fn counted_requests_are_in_the_report_like_those_with_a_record() {
    let counted = |time: &str, consumer: Option<&str>, requests: u64| {
        let rules = consumer.map(|_| &FIRST[..16]);
        json!({ "time": time, "event": "unidentified", "from": "203.0.113.0/24", "consumer": consumer, "rules": rules,
                "requests": requests, "reasons": { "unauthenticated": requests }, "milliseconds": 1000 })
    };
    let lines = [
        event("t1", "start", &[("a", Some(FIRST))]),
        json!({ "time": "t2", "consumer": null, "rules": null, "decision": "refused" }),
        counted("t3", None, 7),
        counted("t4", Some("a"), 5),
        request("t5", "a", Some(FIRST), "allowed"),
    ];
    assert_reports(&lines, &[("a", Some(FIRST), "t1", None, 1, 5)]);
    let mut report = Report::default();
    lines.iter().for_each(|line| report.add(line.to_string().as_bytes()));
    assert_eq!((report.unidentified.allowed, report.unidentified.refused), (0, 8));
}

#[test]
fn an_event_in_several_lines_is_one_event() {
    let mut lines = [
        event("t1", "start", &[("a", Some(FIRST))]),
        event("t1", "start", &[("b", Some(SECOND))]),
        event("t2", "stop", &[]),
    ];
    for (at, line) in lines.iter_mut().take(2).enumerate() {
        line["part"] = (at + 1).into();
    }
    let expected = [("a", Some(FIRST), "t1", Some("t2"), 0, 0), ("b", Some(SECOND), "t1", Some("t2"), 0, 0)];
    assert_reports(&lines, &expected);
    let mut report = Report::default();
    lines.iter().for_each(|line| report.add(line.to_string().as_bytes()));
    assert_eq!((report.events.starts, report.events.stops), (1, 1));
}

/// A killed program leaves openings without records. A request in progress is no such thing.
///
/// Fault: the program is killed while a response leaves. Outcome: the audit log shows that the response began and never ended.
#[test]
fn responses_that_began_and_never_ended_are_counted_from_the_next_start_on() {
    let begin = |id: &str| json!({ "time": "t1", "event": "begin", "request_id": id });
    let ended = |id: &str| json!({ "time": "t2", "request_id": id, "consumer": "a", "decision": "allowed" });
    let lines = [begin("1"), begin("2"), begin("3"), ended("2"), event("t3", "start", &[]), begin("4")];
    let mut report = Report::default();
    lines.iter().for_each(|line| report.add(line.to_string().as_bytes()));
    assert_eq!((report.events.never_closed, report.still_open()), (2, 1));
    report.add(ended("4").to_string().as_bytes());
    assert_eq!((report.events.never_closed, report.still_open()), (2, 0));
}

#[test]
fn requests_without_a_record_are_summed_and_corrections_counted() {
    let lines = [
        json!({ "time": "t1", "event": "resumed", "refused": 3 }),
        json!({ "time": "t2", "event": "resumed", "refused": 4 }),
        json!({ "time": "t3", "event": "corrected", "request_id": "1", "outcome": "refused" }),
    ];
    let mut report = Report::default();
    lines.iter().for_each(|line| report.add(line.to_string().as_bytes()));
    assert_eq!((report.events.unrecorded, report.events.corrected), (7, 1));
}
