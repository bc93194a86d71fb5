//! The audit log: exactly one record per request, and a chain that survives restarts, crashes and full disks.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glassine::audit::{
    AuditLog, Decision, Event, Finding, Guard, Key, OpenError, Outcome, Report, Served, Serving, WriteError,
    verify,
};
use glassine_core::statement::Fingerprint;
use http::StatusCode;
use serde_json::{Value, json};

/// A sink that tests read, and that fails on demand.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    writes: Arc<Mutex<usize>>,
    full: Arc<AtomicBool>,
}

impl Memory {
    fn log(&self) -> Arc<AuditLog> {
        Arc::new(AuditLog::to_stream(Box::new(self.clone())))
    }

    fn records(&self) -> Vec<Value> {
        let bytes = self.bytes.lock().unwrap();
        verify(bytes.as_slice()).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

impl Write for Memory {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        *self.writes.lock().unwrap() += 1;
        self.bytes.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn guard(log: &Arc<AuditLog>) -> Guard {
    Guard::begin(Arc::clone(log), "req-1".to_owned(), "GET")
}

#[test]
fn every_ending_writes_exactly_one_record() {
    let endings = [
        (Outcome::Complete, "complete"),
        (Outcome::Refused, "refused"),
        (Outcome::UpstreamFailed, "upstream_failed"),
        (Outcome::Aborted, "aborted"),
    ];
    for (outcome, name) in endings {
        let memory = Memory::default();
        guard(&memory.log()).finish(outcome);
        let records = memory.records();
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!(records[0]["outcome"], name);
    }
}

/// Fault: a client disconnects. Outcome: the request has one record, which says `client_gone`.
#[test]
fn a_dropped_guard_says_that_the_client_is_gone() {
    let memory = Memory::default();
    drop(guard(&memory.log()));
    let records = memory.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["outcome"], "client_gone");
}

/// Fault: the handler of a request panics. Outcome: the request has one record, and the log goes on.
#[test]
fn a_panic_writes_the_record_on_its_way_out() {
    let memory = Memory::default();
    let log = memory.log();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _guard = guard(&log);
        std::panic::resume_unwind(Box::new("as if a handler had panicked"));
    }));
    assert!(outcome.is_err());
    assert_eq!(memory.records().len(), 1);
    guard(&log).finish(Outcome::Complete);
    assert_eq!(memory.records().len(), 2, "the log goes on after a panic");
}

/// Fault: the task of a request is cancelled. Outcome: the request has one record.
#[tokio::test]
async fn a_cancelled_task_writes_one_record() {
    let memory = Memory::default();
    let guard = guard(&memory.log());
    let task = tokio::spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(memory.records()[0]["outcome"], "client_gone");
}

#[test]
fn a_record_says_what_was_noted_and_is_one_write() {
    let memory = Memory::default();
    let mut guard = guard(&memory.log());
    guard.set_consumer("acme".into(), "0123456789abcdef".into());
    guard.set_endpoint("list-messages".into());
    guard.set_decision(Decision::Allowed, "admitted");
    guard.set_status(StatusCode::OK);
    guard.set_upstream_status(StatusCode::OK);
    guard.counters_mut().bytes_read += 10;
    guard.counters_mut().drop_values("unlisted", 3);
    guard.finish(Outcome::Complete);
    let record = &memory.records()[0];
    assert_eq!((&record["consumer"], &record["rules"]), (&"acme".into(), &"0123456789abcdef".into()));
    assert_eq!(record["endpoint"], "list-messages");
    assert_eq!(record["decision"], "allowed");
    assert_eq!(record["reason"], "admitted");
    assert_eq!((&record["status"], &record["upstream_status"]), (&200.into(), &200.into()));
    assert_eq!(record["bytes_read"], 10);
    assert_eq!(record["dropped"]["unlisted"], 3);
    let time = record["time"].as_str().unwrap();
    assert_eq!(time.len(), "2026-01-01T00:00:00.000Z".len(), "{time}");
    assert!(time.ends_with('Z'));
    assert_eq!(*memory.writes.lock().unwrap(), 1);
}

/// What serves so many consumers, with so many warnings.
fn serving(consumers: usize, warnings: usize) -> Serving {
    let served = |at: usize| Served {
        // The longest name of a consumer.
        consumer: format!("{at:064}"),
        before: Some(Fingerprint::of("before")),
        rules: Some(Fingerprint::of(&format!("rules {at}"))),
        approved_by: vec!["alice@contoso.com".to_owned(), "bob@contoso.com".to_owned()],
    };
    let warning = |at| Finding { code: "G0302", file: "r".repeat(200), line: Some(at) };
    Serving {
        version: "1.2.3",
        // As many as a key ring can have.
        keys: vec![Key { id: 'A', fingerprint: "0123456789abcdef".to_owned() }; 64],
        consumers: (0..consumers).map(served).collect(),
        warnings: (0..warnings).map(warning).collect(),
    }
}

#[test]
fn events_are_in_the_chain_with_requests() {
    let memory = Memory::default();
    let log = memory.log();
    log.write_event(Event::Start(&serving(1, 0))).unwrap();
    guard(&log).finish(Outcome::Complete);
    log.write_event(Event::Reload(&serving(1, 1))).unwrap();
    log.write_event(Event::ReloadFailed(&[Finding { code: "G0111", file: "a.yaml".to_owned(), line: None }]))
        .unwrap();
    log.write_event(Event::Stop).unwrap();
    let records = memory.records();
    let events: Vec<_> = records.iter().map(|record| record["event"].as_str()).collect();
    assert_eq!(events, [Some("start"), None, Some("reload"), Some("reload_failed"), Some("stop")]);
    assert_eq!(records[0]["version"], "1.2.3");
    assert_eq!(records[0]["keys"][0], json!({ "id": "A", "fingerprint": "0123456789abcdef" }));
    let served = &records[2]["consumers"][0];
    assert_eq!(served["before"], Fingerprint::of("before").full());
    assert_eq!(served["rules"], Fingerprint::of("rules 0").full());
    assert_eq!(served["approved_by"], json!(["alice@contoso.com", "bob@contoso.com"]));
    assert_eq!(records[2]["warnings"][0]["line"], 0);
    assert_eq!(records[3]["errors"], json!([{ "code": "G0111", "file": "a.yaml", "line": null }]));
    assert!(records.iter().all(|record| record["part"].is_null()), "each event has one line");
}

/// A line has a limit, and a configuration has none: the event of many consumers takes several lines.
#[test]
fn an_event_of_many_consumers_takes_several_lines_that_verify() {
    for (consumers, warnings, parts) in [(16, 16, 1), (17, 0, 2), (1, 33, 3), (100, 2, 7)] {
        let memory = Memory::default();
        memory.log().write_event(Event::Start(&serving(consumers, warnings))).unwrap();
        let records = memory.records();
        let sum = |name: &str| records.iter().map(|it| it[name].as_array().unwrap().len()).sum::<usize>();
        assert_eq!((records.len(), sum("consumers"), sum("warnings")), (parts, consumers, warnings));
        if parts > 1 {
            for (at, record) in records.iter().enumerate() {
                assert_eq!((&record["part"], &record["parts"]), (&(at + 1).into(), &parts.into()));
            }
        }
    }
}

#[test]
fn a_line_that_verification_would_refuse_is_not_written() {
    let memory = Memory::default();
    let log = memory.log();
    let named = |length: usize| Finding { code: "G0001", file: "x".repeat(length), line: None };
    let refused = log.write_event(Event::ReloadFailed(&[named(33_000)])).unwrap_err();
    assert!(matches!(refused, WriteError::TooLong), "{refused}");
    assert!(log.is_failing());
    log.write_event(Event::ReloadFailed(&[named(32_000)])).unwrap();
    assert!(!log.is_failing());
    assert_eq!(memory.records().len(), 1);
}

#[test]
fn a_full_disk_shows_and_heals() {
    let memory = Memory::default();
    let log = memory.log();
    memory.full.store(true, Ordering::SeqCst);
    guard(&log).finish(Outcome::Complete);
    assert!(log.is_failing());
    memory.full.store(false, Ordering::SeqCst);
    guard(&log).finish(Outcome::Refused);
    assert!(!log.is_failing());
    assert_eq!(memory.records().len(), 1);
}

/// Fault: 400 records are written from eight threads. Outcome: the log is one whole chain.
#[test]
fn concurrent_requests_make_one_chain() {
    let memory = Memory::default();
    let log = memory.log();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| guard(&log).finish(Outcome::Complete)));
        }
    });
    assert_eq!(memory.records().len(), 400);
}

/// Opens a log that nobody else writes to. A process that another test starts has every open file, with its lock, until
/// it executes its program.
fn open(path: &Path) -> AuditLog {
    for _ in 0..1_000 {
        match AuditLog::open(path) {
            Err(OpenError::Locked { .. }) => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened.unwrap(),
        }
    }
    panic!("{}: still locked", path.display());
}

fn write_to(path: &Path, count: usize) {
    let log = Arc::new(open(path));
    (0..count).for_each(|_| guard(&log).finish(Outcome::Complete));
}

/// Fault: the process restarts. Outcome: the log goes on as one chain.
#[test]
fn a_restart_continues_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    write_to(&path, 3);
    write_to(&path, 200);
    write_to(&path, 1);
    let summary = verify(std::fs::read(&path).unwrap().as_slice()).unwrap();
    assert_eq!((summary.lines, summary.chains, summary.torn), (204, 1, 0));
}

/// Fault: a crash cuts the last record at any byte. Outcome: the next start marks the cut line, and the log verifies.
#[test]
fn a_torn_line_is_marked_wherever_the_crash_cut_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    write_to(&path, 2);
    let whole = std::fs::read(&path).unwrap();
    let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in second..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        write_to(&path, 1);
        let summary = verify(std::fs::read(&path).unwrap().as_slice()).unwrap();
        let torn = u64::from(cut != second && cut != whole.len() - 1);
        assert_eq!((summary.chains, summary.torn), (1, torn), "cut at {cut}");
    }
}

/// Fault: two processes open one audit log. Outcome: the second one is refused.
#[test]
fn a_log_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let first = open(&path);
    assert!(matches!(AuditLog::open(&path), Err(OpenError::Locked { .. })));
    drop(first);
    drop(open(&path));
}

/// Fault: the configured audit log is a file of something else. Outcome: the file is refused and not changed.
#[test]
fn a_file_that_is_not_an_audit_log_is_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let notes = "something else entirely\n".repeat(5_000);
    std::fs::write(&path, &notes).unwrap();
    assert!(matches!(AuditLog::open(&path), Err(OpenError::NotAnAuditLog { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[cfg(unix)]
#[test]
fn a_new_log_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    write_to(&path, 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

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
