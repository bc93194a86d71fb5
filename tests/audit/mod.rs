//! The audit log: exactly one record per request, and a chain that survives restarts, crashes and full disks.

mod disk;
mod files;
mod gathering;
mod pipe;
mod report;
mod sealed;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glassine::audit::{
    AuditLog, Bounds, Decision, Event, Finding, Guard, Key, OpenError, Options, Outcome, Served, Serving,
    Unavailable, WriteError, verify,
};
use glassine_core::statement::Fingerprint;
use http::StatusCode;
use serde_json::{Value, json};

/// A sink that tests read, and that fails on demand.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Writes that have begun, and those that were successful.
    begun: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
    /// While this is so, a write waits.
    shut: Arc<AtomicBool>,
}

impl Memory {
    fn log(&self) -> Arc<AuditLog> {
        self.log_with(Options { bounds: PATIENT, ..Options::default() })
    }

    fn log_with(&self, options: Options) -> Arc<AuditLog> {
        Arc::new(AuditLog::to_stream(Box::new(self.clone()), options).unwrap())
    }

    /// The records once nothing waits any more.
    fn settled(&self, log: &AuditLog) -> Vec<Value> {
        settle(log);
        self.records()
    }

    fn records(&self) -> Vec<Value> {
        let bytes = self.bytes.lock().unwrap();
        verify(bytes.as_slice()).unwrap();
        records_of(&bytes)
    }
}

/// The records in the bytes of a log.
fn records_of(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Bounds for machines that are busy with other tests: a write may take a while, and tries follow each other soon.
const PATIENT: Bounds =
    Bounds { slots: 4_096, wait: Duration::from_secs(20), retry: Duration::from_millis(1) };

/// Waits until something is so, which must be soon.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{what}: still not");
}

/// Waits until all records are written.
fn settle(log: &AuditLog) {
    until("all records are written", || log.state().waiting == 0);
}

/// Writes the record of a response, and waits until the log has it.
async fn confirm(log: &Arc<AuditLog>) -> bool {
    let mut guard = guard(log);
    guard.reserve().await.is_ok() && guard.confirm(Outcome::Complete).await.is_ok()
}

/// The same in a task.
fn confirming(log: &Arc<AuditLog>) -> tokio::task::JoinHandle<bool> {
    let log = Arc::clone(log);
    tokio::spawn(async move { confirm(&log).await })
}

impl Write for Memory {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.begun.fetch_add(1, Ordering::SeqCst);
        while self.shut.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
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
    assert_eq!(memory.settled(&log).len(), 1);
    guard(&log).finish(Outcome::Complete);
    assert_eq!(memory.settled(&log).len(), 2, "the log goes on after a panic");
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
    assert_eq!(memory.writes.load(Ordering::SeqCst), 1);
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

#[tokio::test]
async fn events_are_in_the_chain_with_requests() {
    let memory = Memory::default();
    let log = memory.log();
    log.write_event(Event::Start(&serving(1, 0))).await.unwrap();
    guard(&log).finish(Outcome::Complete);
    log.write_event(Event::Reload(&serving(1, 1))).await.unwrap();
    log.write_event(Event::ReloadFailed(&[Finding { code: "G0111", file: "a.yaml".to_owned(), line: None }]))
        .await
        .unwrap();
    log.post_event(Event::Stop).unwrap();
    assert_eq!(log.close(Duration::from_secs(20)).await, 0);
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
#[tokio::test]
async fn an_event_of_many_consumers_takes_several_lines_that_verify() {
    for (consumers, warnings, parts) in [(16, 16, 1), (17, 0, 2), (1, 33, 3), (100, 2, 7)] {
        let memory = Memory::default();
        memory.log().write_event(Event::Start(&serving(consumers, warnings))).await.unwrap();
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

/// Fault: an event would be longer than a line of the audit log can be. Outcome: it is refused, and the log goes on.
#[tokio::test]
async fn a_line_that_verification_would_refuse_is_not_written() {
    let memory = Memory::default();
    let log = memory.log();
    let named = |length: usize| [Finding { code: "G0001", file: "x".repeat(length), line: None }];
    let refused = log.write_event(Event::ReloadFailed(&named(33_000))).await.unwrap_err();
    assert!(matches!(*refused, WriteError::TooLong), "{refused}");
    log.write_event(Event::ReloadFailed(&named(32_000))).await.unwrap();
    assert_eq!(memory.records().len(), 1);
}

/// Fault: the disk of the audit log is full. Outcome: what has happened is recorded when there is room again.
#[test]
fn a_full_disk_shows_and_heals_and_nothing_that_happened_is_lost() {
    let memory = Memory::default();
    let log = memory.log();
    memory.full.store(true, Ordering::SeqCst);
    guard(&log).finish(Outcome::Complete);
    until("the log fails", || log.is_failing());
    let failing = log.state().failing.unwrap();
    assert!(failing.why.contains("cannot be written"), "{}", failing.why);
    assert!(log.state().failures > 0 && log.state().waiting == 1);
    // A failing log takes no record of a refusal. It counts it.
    guard(&log).finish(Outcome::Refused);
    guard(&log).finish(Outcome::Refused);
    assert_eq!(log.state().unrecorded, 2);

    memory.full.store(false, Ordering::SeqCst);
    until("the log works", || !log.is_failing());
    let records = memory.settled(&log);
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!((&records[0]["event"], &records[0]["refused"]), (&"resumed".into(), &2.into()));
    assert_eq!(records[1]["outcome"], "complete");
    assert_eq!(log.state().failing, None);
}

/// Fault: the reader of the audit log's stream stands still. Outcome: a response waits for the bound, and becomes a refusal.
#[tokio::test]
async fn a_response_whose_record_is_not_acknowledged_in_time_is_refused_and_corrected() {
    let memory = Memory::default();
    let bounds = Bounds { wait: Duration::from_millis(50), ..PATIENT };
    let log = memory.log_with(Options { bounds, ..Options::default() });
    memory.shut.store(true, Ordering::SeqCst);
    // The writer has taken this one, and waits for the reader.
    let mut taken = guard(&log);
    taken.reserve().await.unwrap();
    let Err(mut taken) = taken.confirm(Outcome::Complete).await else { panic!("acknowledged") };
    // The write may have begun later than the wait, on a busy machine.
    until("a write that takes too long is a failure", || log.is_failing());
    assert_eq!(log.reserve().await.err(), Some(Unavailable));
    taken.set_status(StatusCode::SERVICE_UNAVAILABLE);
    taken.finish(Outcome::Refused);
    // This one waits in the queue, and is withdrawn.
    let Err(mut queued) = guard(&log).confirm(Outcome::Complete).await else { panic!("acknowledged") };
    queued.set_status(StatusCode::SERVICE_UNAVAILABLE);
    queued.finish(Outcome::Refused);
    memory.shut.store(false, Ordering::SeqCst);

    settle(&log);
    until("the unrecorded refusal is told", || {
        records_of(&memory.bytes.lock().unwrap()).iter().any(|it| it["event"] == "resumed")
    });
    let records = memory.records();
    let told: Vec<_> = records.iter().map(|it| (it["event"].as_str(), it["outcome"].as_str())).collect();
    let expected = [(None, Some("complete")), (Some("corrected"), Some("refused")), (Some("resumed"), None)];
    assert_eq!(told, expected, "{records:?}");
    assert_eq!(records[1]["status"], 503);
    assert_eq!(records[2]["refused"], 1);
}

/// Fault: a client leaves while its response waits for the audit log. Outcome: the record says that the client is gone.
#[tokio::test]
async fn a_response_that_is_dropped_while_it_waits_has_one_record() {
    let memory = Memory::default();
    let log = memory.log();
    memory.shut.store(true, Ordering::SeqCst);
    let first = confirming(&log);
    crate::support::waiting::until("the writer has the first", async || {
        memory.begun.load(Ordering::SeqCst) > 0
    })
    .await;
    let second = confirming(&log);
    tokio::task::yield_now().await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    memory.shut.store(false, Ordering::SeqCst);
    assert!(first.await.unwrap());
    let outcomes: Vec<_> = memory.settled(&log).iter().map(|it| it["outcome"].clone()).collect();
    assert_eq!(outcomes, ["complete", "client_gone"]);
}

/// Fault: more requests are in progress than the audit log has room for. Outcome: the next ones are refused after a bound.
#[tokio::test]
async fn the_room_of_the_log_is_bounded_and_comes_back() {
    let memory = Memory::default();
    let bounds = Bounds { slots: 2, wait: Duration::from_millis(20), ..PATIENT };
    let log = memory.log_with(Options { bounds, ..Options::default() });
    let (mut one, mut two, mut three) = (guard(&log), guard(&log), guard(&log));
    one.reserve().await.unwrap();
    two.reserve().await.unwrap();
    assert_eq!(three.reserve().await, Err(Unavailable));
    one.finish(Outcome::Complete);
    settle(&log);
    three.reserve().await.unwrap();
    drop((two, three));
    assert_eq!(memory.settled(&log).len(), 3);
}

/// One call of the system for all that waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_concurrent_requests_share_a_write() {
    let memory = Memory::default();
    let log = memory.log();
    memory.shut.store(true, Ordering::SeqCst);
    let first = confirming(&log);
    let others: Vec<_> = (0..99).map(|_| confirming(&log)).collect();
    until("all wait", || log.state().waiting == 100);
    memory.shut.store(false, Ordering::SeqCst);
    assert!(first.await.unwrap());
    for other in others {
        assert!(other.await.unwrap());
    }
    assert_eq!(memory.records().len(), 100);
    assert!(memory.writes.load(Ordering::SeqCst) <= 3, "{}", memory.writes.load(Ordering::SeqCst));
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
    assert_eq!(memory.settled(&log).len(), 400);
}

/// Opens a log that nobody else writes to. A process that another test starts has every open file, with its lock, until
/// it executes its program.
fn open(path: &Path) -> AuditLog {
    open_with(path, Options { bounds: PATIENT, ..Options::default() })
}

fn open_with(path: &Path, options: Options) -> AuditLog {
    for _ in 0..1_000 {
        match AuditLog::open(path, options.clone()) {
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
    assert!(matches!(AuditLog::open(&path, Options::default()), Err(OpenError::Locked { .. })));
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
    assert!(matches!(AuditLog::open(&path, Options::default()), Err(OpenError::NotAnAuditLog { .. })));
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
