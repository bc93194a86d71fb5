//! The log's file is moved, deleted, cut, or full: the chain goes on, and no record is in no file.

use std::path::PathBuf;

use glassine::audit::{Clock, Rotate, SyncMode, Verifier};
use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn log(&self) -> Arc<AuditLog> {
        self.log_with(Options { bounds: PATIENT, ..Options::default() })
    }

    fn log_with(&self, options: Options) -> Arc<AuditLog> {
        Arc::new(open_with(&self.file("audit.jsonl"), options))
    }

    fn records(&self, name: &str) -> Vec<Value> {
        records_of(&std::fs::read(self.file(name)).unwrap())
    }

    /// Lines and chains of a log in these files.
    #[track_caller]
    fn verified(&self, names: &[impl AsRef<Path>]) -> (u64, u64) {
        let mut verifier = Verifier::default();
        let read = names.iter().map(|name| {
            let file = std::fs::read(self.0.path().join(name)).unwrap();
            let summary = verifier.read(file.as_slice(), |_| ()).unwrap();
            (summary.lines, summary.chains)
        });
        read.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// The files that were set aside, and then the current one.
    fn all(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.rotate_left(1);
        names
    }
}

/// Fault: the audit log's file is renamed and the proxy gets SIGHUP. Outcome: a new file continues the chain.
#[tokio::test]
async fn a_renamed_file_is_left_at_a_hangup() {
    let folder = Folder::new();
    let log = folder.log();
    assert!(confirm(&log).await && confirm(&log).await);
    std::fs::rename(folder.file("audit.jsonl"), folder.file("old")).unwrap();
    log.reopen();
    assert!(confirm(&log).await);
    assert_eq!(folder.records("old").len(), 2);
    let new = folder.records("audit.jsonl");
    assert_eq!((new.len(), &new[0]["event"], &new[0]["seq"]), (2, &"continued".into(), &2.into()));
    assert_eq!(folder.verified(&["old", "audit.jsonl"]), (4, 1));
    // Alone, the file says what it continues.
    let summary = verify(std::fs::read(folder.file("audit.jsonl")).unwrap().as_slice()).unwrap();
    assert_eq!((summary.continues, summary.chains), (Some(2), 0));
    assert_eq!(log.state().rotations, 1);
    // A hangup without a move changes nothing.
    log.reopen();
    assert!(confirm(&log).await);
    assert_eq!((log.state().rotations, folder.records("audit.jsonl").len()), (1, 3));
}

/// Fault: the audit log's file is renamed, and nobody tells the proxy. Outcome: a new file continues the chain by itself.
#[tokio::test]
async fn a_renamed_file_is_left_without_a_hangup() {
    let folder = Folder::new();
    let log = folder.log();
    assert!(confirm(&log).await);
    std::fs::rename(folder.file("audit.jsonl"), folder.file("old")).unwrap();
    until("a new file is there", || folder.file("audit.jsonl").exists() || log.state().rotations > 0);
    assert!(confirm(&log).await);
    assert_eq!(folder.verified(&["old", "audit.jsonl"]), (3, 1));
}

/// Fault: the audit log's file is deleted. Outcome: no record is acknowledged that is in no file.
#[tokio::test]
async fn no_record_is_acknowledged_in_a_file_that_was_deleted() {
    let folder = Folder::new();
    let log = folder.log();
    assert!(confirm(&log).await);
    for round in 1..20 {
        std::fs::remove_file(folder.file("audit.jsonl")).unwrap();
        assert!(confirm(&log).await);
        let records = folder.records("audit.jsonl");
        assert_eq!((records.len(), &records[0]["event"]), (2, &"continued".into()), "{round}");
    }
    folder.verified(&["audit.jsonl"]);
}

/// Fault: a log rotation copies the audit log's file and cuts it (`copytruncate`). Outcome: copy and file are one chain.
#[tokio::test]
async fn a_file_that_was_copied_and_cut_goes_on_with_its_chain() {
    let folder = Folder::new();
    let log = folder.log();
    assert!(confirm(&log).await && confirm(&log).await);
    std::fs::copy(folder.file("audit.jsonl"), folder.file("copy")).unwrap();
    std::fs::File::options().write(true).open(folder.file("audit.jsonl")).unwrap().set_len(0).unwrap();
    assert!(confirm(&log).await && confirm(&log).await);
    assert_eq!(folder.records("audit.jsonl")[0]["event"], "continued");
    assert_eq!(folder.verified(&["copy", "audit.jsonl"]), (5, 1));
}

/// Fault: somebody cuts the end off the audit log's file while the proxy runs. Outcome: `verify` shows it, and records go on.
#[tokio::test]
async fn a_file_that_was_cut_in_the_middle_shows_it_and_takes_whole_lines() {
    let folder = Folder::new();
    let log = folder.log();
    assert!(confirm(&log).await && confirm(&log).await);
    let file = std::fs::File::options().write(true).open(folder.file("audit.jsonl")).unwrap();
    file.set_len(file.metadata().unwrap().len() - 10).unwrap();
    assert!(confirm(&log).await);
    let records = folder.records("audit.jsonl");
    assert_eq!((records.len(), &records[1]["event"]), (3, &"continued".into()));
    assert!(verify(std::fs::read(folder.file("audit.jsonl")).unwrap().as_slice()).is_err());
}

/// Fault: another process takes the audit log's path while its file is moved away. Outcome: requests are refused.
#[tokio::test]
async fn a_path_that_another_process_took_is_not_shared() {
    let folder = Folder::new();
    let log = folder.log_with(Options {
        bounds: Bounds { wait: Duration::from_millis(500), ..PATIENT },
        ..Options::default()
    });
    assert!(confirm(&log).await);
    let path = folder.file("audit.jsonl");
    std::fs::rename(&path, folder.file("old")).unwrap();
    let other = std::fs::File::create(&path).unwrap();
    other.lock().unwrap();
    log.reopen();
    assert!(!confirm(&log).await);
    assert!(log.state().failing.unwrap().why.contains("another process writes"));
    drop(other);
    until("the log works", || !log.is_failing());
    assert!(confirm(&log).await);
    // And the lock is on the new file.
    let locked = AuditLog::open(&path, Options::default());
    assert!(matches!(locked, Err(OpenError::Locked { .. })));
    drop(locked);
    settle(&log);
    folder.verified(&["old", "audit.jsonl"]);
}

fn rotating(bytes: u64, keep: usize, daily: bool) -> Options {
    Options { bounds: PATIENT, rotate: Some(Rotate { bytes, keep, daily }), ..Options::default() }
}

/// Fault: the audit log's file reaches its size. Outcome: a new file continues the chain, and only so many old ones stay.
#[tokio::test]
async fn a_full_file_is_rotated_and_only_so_many_are_kept() {
    let folder = Folder::new();
    let log = folder.log_with(rotating(1_000, 3, false));
    for count in 1..=40 {
        assert!(confirm(&log).await, "{count}");
        assert!(folder.all().len() <= 4, "never more than three old files");
    }
    let names = folder.all();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(names[3], "audit.jsonl");
    assert!(names.iter().all(|name| std::fs::metadata(folder.file(name)).unwrap().len() < 2_000));
    // The names sort in the order of the chain, and each has the number of its file's last line.
    folder.verified(&names);
    for name in &names[..3] {
        let last = folder.records(name).pop().unwrap()["seq"].as_u64().unwrap();
        assert!(name.starts_with(&format!("audit.jsonl.{last:012}-20")), "{name} {last}");
    }
    drop(log);
    // A restart continues the newest file's chain.
    assert!(confirm(&folder.log_with(rotating(1_000, 3, false))).await);
    folder.verified(&folder.all());
    // Also after a crash between two files.
    let names = folder.all();
    std::fs::remove_file(folder.file("audit.jsonl")).unwrap();
    assert!(confirm(&folder.log_with(rotating(1_000, 3, false))).await);
    assert_eq!(folder.records("audit.jsonl")[0]["event"], "continued");
    folder.verified(&[names[2].as_str(), "audit.jsonl"]);
}

/// Fault: a day ends. Outcome: with `daily`, its records are in a file of their own.
#[tokio::test]
async fn a_day_ends_a_file() {
    let folder = Folder::new();
    let tomorrow = Arc::new(AtomicBool::new(false));
    let clock = {
        let tomorrow = Arc::clone(&tomorrow);
        Clock::new(move || {
            let hours = if tomorrow.load(Ordering::SeqCst) { 24 } else { 0 };
            jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)
        })
    };
    let log = folder.log_with(Options { clock, ..rotating(1 << 30, 5, true) });
    assert!(confirm(&log).await && confirm(&log).await);
    assert_eq!(folder.all().len(), 1);
    tomorrow.store(true, Ordering::SeqCst);
    assert!(confirm(&log).await);
    let names = folder.all();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(folder.verified(&names), (4, 1));
}

/// Fault: the audit log's full file cannot be renamed. Outcome: the log says so, and goes on in the same file.
#[tokio::test]
async fn a_file_that_cannot_be_rotated_grows_on() {
    let folder = Folder::new();
    let log = folder.log_with(rotating(1, 3, false));
    assert!(confirm(&log).await);
    let day = jiff::Timestamp::now().strftime("%Y%m%d").to_string();
    std::fs::create_dir(folder.file(&format!("audit.jsonl.000000000000-{day}"))).unwrap();
    assert!(confirm(&log).await && confirm(&log).await);
    assert_eq!(folder.verified(&["audit.jsonl"]), (3, 1));
}

/// Fault: the log is closed while records wait. Outcome: in each `sync` mode, all of them are in the file.
#[tokio::test]
async fn records_go_to_the_disk_as_the_mode_says() {
    for sync in [SyncMode::None, SyncMode::Each, SyncMode::Interval] {
        let folder = Folder::new();
        let log = folder.log_with(Options { sync, bounds: PATIENT, ..Options::default() });
        assert!(confirm(&log).await && confirm(&log).await);
        assert_eq!(log.close(Duration::from_secs(20)).await, 0);
        assert_eq!(folder.verified(&["audit.jsonl"]), (2, 1), "{sync:?}");
    }
}

#[test]
fn a_pipe_is_no_file_for_an_audit_log() {
    let folder = Folder::new();
    let path = folder.file("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // It has no end to read, and no disk.
    let opened = AuditLog::open(&path, Options { sync: SyncMode::Each, ..Options::default() });
    assert!(matches!(opened, Err(OpenError::Io { .. })));
}
