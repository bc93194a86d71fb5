//! Requests whose sender is not identified: they cannot fill the audit log, and none of them is forgotten.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassine::audit::{AuditLog, Bounds, Decision, Guard, Options, Outcome};
use serde_json::Value;

use crate::service::{PAGE, USERS};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup, lines_of, unidentified};
use crate::support::upstream::{FakeUpstream, Script};

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_secs(3);

/// The longest line about strangers.
const LINE: usize = 1024;

async fn start(more: &str, consumers: Vec<Consumer>) -> (FakeUpstream, Arc<Glassine>) {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    setup.more = more.to_owned();
    setup.consumers.extend(consumers);
    (graph, Arc::new(setup.start().await))
}

/// The lines of the log after the stop: records, and counts of unidentified requests. The log is whole.
async fn log_of(proxy: Arc<Glassine>) -> (Vec<Value>, Vec<Value>) {
    let folder = Arc::into_inner(proxy).unwrap().stop().await;
    let file = folder.path().join("audit.jsonl");
    assert_verifies(&file);
    let lines = lines_of(&file);
    assert_eq!(lines.last().unwrap()["event"], "stop", "all that was counted is written before the stop");
    let counts = lines.iter().filter(|line| line["event"] == "unidentified").cloned().collect();
    (lines.into_iter().filter(|line| line["event"].is_null()).collect(), counts)
}

fn assert_verifies(file: &Path) {
    let verify = Command::new(env!("CARGO_BIN_EXE_glassine")).args(["audit", "verify"]).arg(file).output();
    let verify = verify.unwrap();
    assert!(verify.status.success(), "{verify:?}");
}

fn of_strangers(records: &[Value]) -> Vec<&Value> {
    records.iter().filter(|record| record["consumer"].is_null()).collect()
}

/// The sum of the counts. In each line, the reasons add up.
fn counted(counts: &[Value]) -> u64 {
    let sum = |line: &Value| {
        let requests = line["requests"].as_u64().unwrap();
        let reasons = line["reasons"].as_object().unwrap().values();
        assert_eq!(reasons.map(|count| count.as_u64().unwrap()).sum::<u64>(), requests, "{line}");
        assert!(requests > 0, "{line}");
        requests
    };
    counts.iter().map(sum).sum()
}

/// Fault: strangers send requests as fast as they can. Outcome: the audit log grows by one line a second for their address range.
/// Fault: strangers send requests as fast as they can. Outcome: every request of a consumer is served and has its own record.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_strangers_is_a_line_a_second_and_consumers_are_served() {
    let (_graph, proxy) = start("", Vec::new()).await;
    let began = Instant::now();
    let flood = |token: Option<&'static str>| {
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move {
            let mut sent = 0_u64;
            while began.elapsed() < FLOOD {
                let headers = token.map(|token| ("authorization", token));
                assert_eq!(proxy.send("GET", USERS, headers.as_slice()).await.status, 401);
                sent += 1;
            }
            sent
        })
    };
    let floods = [flood(None), flood(Some("Bearer wrong")), flood(None)];
    let mut served = 0;
    while began.elapsed() < FLOOD {
        assert_eq!(proxy.get(USERS).await.status, 200);
        served += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut sent = 0;
    for flood in floods {
        sent += flood.await.unwrap();
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    let (records, counts) = log_of(proxy).await;
    let strangers = of_strangers(&records);
    assert_eq!(u64::try_from(strangers.len()).unwrap() + counted(&counts), sent);
    assert!(sent > 100, "{sent}");
    assert_eq!(records.len() - strangers.len(), served);
    let lines = strangers.len() + counts.len();
    assert!(lines <= seconds + 2, "{lines} lines in {seconds} seconds");
    for line in strangers.into_iter().chain(&counts) {
        assert!(line.to_string().len() < LINE, "{line}");
    }
    for line in &counts {
        assert_eq!((&line["from"], &line["consumer"]), (&"127.0.0.0/24".into(), &Value::Null), "{line}");
        assert!(line["reasons"]["unauthenticated"].as_u64().is_some(), "{line}");
    }
}

/// Fault: strangers send requests from more address ranges than the log has room for. Outcome: they share one line a second, and all are counted.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_beyond_the_budget_share_a_line() {
    const RANGES: u32 = 1_300;
    let (_graph, proxy) = start("trusted_proxies: [127.0.0.0/8]\n", Vec::new()).await;
    let began = Instant::now();
    for range in 0..RANGES {
        let address = std::net::Ipv4Addr::from((203 << 24) + (range << 8) + 9).to_string();
        assert_eq!(proxy.send("GET", USERS, &[("x-forwarded-for", &address)]).await.status, 401);
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    let (records, counts) = log_of(proxy).await;
    assert_eq!(u64::try_from(records.len()).unwrap() + counted(&counts), u64::from(RANGES));
    assert!(records.len() >= 1_000, "the burst");
    assert!(records.len() + counts.len() <= 1_000 + 3 * (seconds + 2), "{} {}", records.len(), counts.len());
    assert!(counts.iter().all(|line| line["from"] == "other"), "{counts:?}");
}

/// Fault: a consumer's credential is used from another address, as fast as somebody can. Outcome: the counts name the consumer.
#[tokio::test]
async fn counts_name_the_consumer_whose_credential_was_shown() {
    let more = "    allow_from: [10.0.0.0/8]\n".to_owned();
    let (_graph, proxy) = start("", vec![Consumer { more, ..Consumer::new("stolen", METADATA_ONLY) }]).await;
    for _ in 0..5 {
        assert_eq!(proxy.get_as("stolen", USERS, &[]).await.status, 403);
        assert_eq!(proxy.get_as("nobody", USERS, &[]).await.status, 401);
    }
    let (records, counts) = log_of(proxy).await;
    let of = |consumer: Option<&str>| {
        let is_of = |line: &&Value| line["consumer"].as_str() == consumer;
        let counts: Vec<_> = counts.iter().filter(is_of).cloned().collect();
        let rules = |line: &Value| line["rules"].as_str().map(str::len) == consumer.map(|_| 16);
        assert!(records.iter().filter(is_of).chain(&counts).all(rules), "{counts:?}");
        u64::try_from(records.iter().filter(is_of).count()).unwrap() + counted(&counts)
    };
    assert_eq!((of(Some("stolen")), of(None)), (5, 5));
    assert!(counts.len() >= 2, "{counts:?}");
}

/// Fault: all room of the audit log is in use, and strangers send requests. Outcome: they are counted, and take no room that a consumer waits for.
#[tokio::test]
async fn strangers_need_no_room_in_the_log() {
    let bounds = Bounds { slots: 1, ..Bounds::default() };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let log = Arc::new(AuditLog::open(&file, Options { bounds, ..Options::default() }).unwrap());
    let begin = || Guard::begin(Arc::clone(&log), "id".to_owned(), "GET");
    let mut consumer = begin();
    consumer.set_consumer("acme".into(), "a9221b83c05f1e77".into());
    consumer.reserve().await.unwrap();
    let stranger = || {
        let mut guard = begin();
        guard.set_address([203, 0, 113, 9].into());
        guard.set_decision(Decision::Refused, "unauthenticated");
        guard
    };
    (0..7).for_each(|_| stranger().finish(Outcome::Refused));
    drop(stranger());
    consumer.set_decision(Decision::Allowed, "allowed");
    consumer.finish(Outcome::Complete);
    log.sum_up();
    assert_eq!(log.close(Duration::from_secs(10)).await, 0);
    assert_verifies(&file);
    assert_eq!(unidentified(&file), BTreeMap::from([("unauthenticated".to_owned(), 8)]));
    assert_eq!(lines_of(&file).iter().filter(|line| line["consumer"] == "acme").count(), 1);
}

#[tokio::test]
async fn each_refusal_of_a_consumer_has_its_own_record() {
    let (_graph, proxy) = start("", Vec::new()).await;
    for _ in 0..5 {
        assert_eq!(proxy.get("/v1.0/nothing").await.status, 403);
    }
    let (records, counts) = log_of(proxy).await;
    assert_eq!((records.len(), counts.len()), (5, 0));
}
