//! Responses that wait for their records wake the writer together, and none waits for another one.
//!
//! A writer that nobody wakes looks into its queue after a second. So several records that nobody wakes it for take
//! seconds: [`SOON`] is less than that, and far more than a busy machine needs.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Instant;

use super::*;

/// What [`MANY`] records need at the most, one after another.
const SOON: Duration = Duration::from_secs(4);
const MANY: usize = 8;

/// Polls once, and drops: the client leaves when the record has just been handed over.
fn leave_after_one_poll<T>(response: impl Future<Output = T>) {
    // The record of a response is acknowledged at once if the writer happens to be awake.
    let _ = pin!(response).poll(&mut Context::from_waker(Waker::noop()));
}

/// A response that takes the runtime's only thread so long that a writer which is awake writes a record meanwhile.
fn confirming_after_work(log: &Arc<AuditLog>) -> tokio::task::JoinHandle<bool> {
    let log = Arc::clone(log);
    tokio::spawn(async move {
        std::thread::sleep(Duration::from_millis(1));
        confirm(&log).await
    })
}

#[tokio::test]
async fn concurrent_responses_share_a_wake_and_a_write() {
    let memory = Memory::default();
    let log = memory.log();
    let responses: Vec<_> = (0..48).map(|_| confirming_after_work(&log)).collect();
    for response in responses {
        assert!(response.await.unwrap());
    }
    assert_eq!(memory.records().len(), 48);
    // At first, the writer may not sleep yet.
    let writes = memory.writes.load(Ordering::SeqCst);
    assert!(writes <= 4, "{writes}");
}

#[tokio::test]
async fn a_response_alone_does_not_wait_for_others() {
    let memory = Memory::default();
    let log = memory.log();
    let began = Instant::now();
    for _ in 0..MANY {
        let mut guard = guard(&log);
        guard.reserve().await.unwrap();
        guard.announce().await.unwrap();
        assert!(guard.confirm(Outcome::Complete).await.is_ok());
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(memory.writes.load(Ordering::SeqCst), 2 * MANY);
}

#[tokio::test]
async fn a_response_is_confirmed_while_another_task_never_rests() {
    let log = Memory::default().log();
    let busy = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let began = Instant::now();
    for _ in 0..MANY {
        assert!(confirm(&log).await);
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    busy.abort();
}

/// Fault: a client leaves when the opening record of its response was just handed over. Outcome: the log has the record at once.
#[tokio::test]
async fn an_opening_record_of_a_client_that_leaves_is_written_at_once() {
    let memory = Memory::default();
    let log = memory.log();
    let guards: Vec<_> = (0..MANY).map(|_| guard(&log)).collect();
    let began = Instant::now();
    for guard in &guards {
        leave_after_one_poll(guard.announce());
        settle(&log);
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert!(memory.records().iter().all(|record| record["event"] == "begin"));
    assert_eq!(memory.records().len(), MANY);
}

/// Fault: a client leaves when the record of its response was just handed over. Outcome: the log has one record of it at once.
#[tokio::test]
async fn a_record_of_a_client_that_leaves_is_written_at_once() {
    let memory = Memory::default();
    let log = memory.log();
    let began = Instant::now();
    for _ in 0..MANY {
        leave_after_one_poll(guard(&log).confirm(Outcome::Complete));
        settle(&log);
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(memory.records().len(), MANY);
}

/// Fault: clients leave at any moment while others wait for their records. Outcome: all others get their responses at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_record_is_forgotten_when_others_leave() {
    let memory = Memory::default();
    let log = memory.log();
    let began = Instant::now();
    let mut whole = 0;
    for round in 0..200 {
        let responses: Vec<_> = (0..8).map(|_| confirming(&log)).collect();
        for (at, response) in responses.into_iter().enumerate() {
            let leaves = (at + round) % 3 == 0;
            if leaves {
                response.abort();
            }
            match response.await {
                Ok(is_whole) => whole += usize::from(is_whole),
                Err(error) => assert!(leaves, "{error}"),
            }
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let records = memory.settled(&log);
    let complete = records.iter().filter(|record| record["outcome"] == "complete").count();
    // The record of a client that left may be complete, too: it was being written.
    assert!((whole..=1_600).contains(&complete) && records.len() <= 1_600, "{whole} {complete}");
    assert!(whole >= 1_000, "{whole}");
}
