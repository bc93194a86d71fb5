//! How long requests take, where they are, and which shape the values had that did not leave.

use super::{ready, scrape, until};
use crate::service::USERS;
use crate::support::glassine::Setup;
use crate::support::upstream::{FakeUpstream, Script};

const ODD: &str = r#"{"value":[{"id":"u1","accountEnabled":"no boolean",
    "secret":{"a":{"b":[1,2,"x"]}},"secrets":[{"a":1}],"text":"x","number":1,"flag":true,"nothing":null}]}"#;

#[tokio::test]
async fn what_does_not_leave_is_counted_by_its_shape_and_the_audit_log_stays_short() {
    let graph = FakeUpstream::always(Script::json(ODD)).await;
    let proxy = Setup::scripted(&graph).start().await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let after = scrape(&proxy).await;
    for (reason, count) in [
        ("unlisted_object", 1.0),
        ("unlisted_array", 1.0),
        ("unlisted_string", 1.0),
        ("unlisted_scalar", 3.0),
        ("not_understood", 1.0),
        ("too_long", 0.0),
    ] {
        let series = format!("glassine_values_dropped_total{{reason=\"{reason}\"}}");
        assert_eq!(after.get(&series), Some(&count), "{reason}");
    }
    let record = proxy.audited(1).await.remove(0);
    assert_eq!(record["dropped"], serde_json::json!({ "not_understood": 1 }));
    assert!(record["unlisted"].is_null());
}

/// A request is at Graph until its response has been read, or its consumer has left.
#[tokio::test]
async fn a_request_is_in_flight_at_graph_until_its_response_has_been_read() {
    let graph = FakeUpstream::always(Script::json(ODD).stall_after(20)).await;
    let proxy = Setup::scripted(&graph).start().await;
    ready(&proxy).await;
    let series = |lane: &str| format!("glassine_graph_requests_in_flight{{lane=\"{lane}\"}}");
    let stream = proxy.open("acme", USERS).await;
    until(&proxy, &series("directory"), 1.0).await;
    assert_eq!(scrape(&proxy).await[&series("mailbox")], 0.0);
    drop(stream);
    until(&proxy, &series("directory"), 0.0).await;
}

/// Fault: Graph is slow. Outcome: `glassine_graph_response_duration_seconds` and `glassine_request_duration_seconds` show it.
#[tokio::test]
async fn the_time_of_graph_and_the_time_of_the_whole_are_in_histograms() {
    let graph = FakeUpstream::always(Script::json(ODD).delayed(std::time::Duration::from_millis(120))).await;
    let proxy = Setup::scripted(&graph).start().await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    proxy.get("/v1.0/nothing").await;
    let after = scrape(&proxy).await;
    for name in ["glassine_graph_response_duration_seconds", "glassine_request_duration_seconds"] {
        let value = |suffix: &str| after[&format!("{name}_{suffix}")];
        assert_eq!(value("count{endpoint=\"list-users\"}"), 1.0, "{name}");
        assert_eq!(value("bucket{le=\"0.1\",endpoint=\"list-users\"}"), 0.0, "{name}");
        assert_eq!(value("bucket{le=\"100.0\",endpoint=\"list-users\"}"), 1.0, "{name}");
        assert!(value("sum{endpoint=\"list-users\"}") >= 0.12, "{name}");
    }
    assert_eq!(after["glassine_request_duration_seconds_count{endpoint=\"none\"}"], 1.0);
    assert_eq!(after["glassine_graph_response_duration_seconds_count{endpoint=\"none\"}"], 0.0);
}
