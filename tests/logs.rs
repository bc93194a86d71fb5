//! The log of a running service: nobody waits for its reader, and it never says what a panic says.

use std::io::Read as _;
use std::process::Command;
use std::time::Duration;

use glassine::service::logs::Logs;

use crate::service::{PAGE, USERS};
use crate::support::glassine::Setup;
use crate::support::spawned::Spawned;
use crate::support::upstream::{FakeUpstream, Script};

/// Refusals whose lines are more than a pipe holds (64 KiB on Linux).
const REFUSALS: usize = 600;

/// Fault: nobody reads standard error. Outcome: requests and health checks are served, and SIGTERM ends the process.
#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_nothing() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let setup = Setup::scripted(&graph);
    let (mut program, mut log) = Spawned::serve(&setup, &[("GLASSINE_LOG", "debug")]).await;
    for _ in 0..REFUSALS {
        assert_ne!(program.get("/v1.0/nothing").await.status, 200);
    }
    // The consumer's limits may make it wait, but not the log.
    let mut users = program.get(USERS).await;
    while users.status == 429 {
        users = program.get(USERS).await;
    }
    assert_eq!(users.status, 200);
    assert_eq!(program.admin_get("/healthz").await.status, 200);
    assert!(
        program
            .admin_get("/metrics")
            .await
            .text()
            .contains("glassine_log_lines_left_out_total{reason=\"reader\"}")
    );
    let status = program.terminate(Duration::from_secs(20)).await;
    assert!(status.success(), "{status}");
    let mut waited = String::new();
    log.read_to_string(&mut waited).unwrap();
    assert!(waited.matches("a request got no document").count() > 100, "{waited}");
}

/// Fault: the program panics with a value of a response in the panic's text. Outcome: the log has the place, not the text.
#[test]
fn a_panic_is_logged_by_its_place() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "logs::a_process_that_panics", "--nocapture"])
        .env("GLASSINE_LOG", "info")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&child.stderr);
    assert!(log.contains("the program panicked") && log.contains("tests/logs.rs"), "{log}");
    assert!(!log.contains("alice"), "{log}");
}

#[test]
#[ignore = "run by a_panic_is_logged_by_its_place"]
fn a_process_that_panics() {
    let logs = Logs::open(std::io::stderr()).unwrap();
    logs.start().unwrap();
    assert!(std::panic::catch_unwind(|| panic!("alice@contoso.com")).is_err());
}
