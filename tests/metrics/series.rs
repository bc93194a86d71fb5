//! Every series is at zero before anything happens, so that an alert sees the first time. What consumers and strangers send makes
//! no other one.

use super::{ready, scrape};
use crate::service::{PAGE, USERS};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

fn graph(request: &Received) -> Script {
    let error = |status: u16| {
        let body = r#"{"error":{"code":"ApplicationThrottled","message":"x"}}"#;
        Script::status(status)
            .header("Content-Type", "application/json")
            .header("Retry-After", "60")
            .body(body)
    };
    match request.path() {
        USERS => Script::json(PAGE),
        "/v1.0/users/gone" => error(404),
        "/v1.0/users/closed" => error(403),
        "/v1.0/users/throttled" => error(429),
        "/v1.0/users/odd" => error(418),
        _ => Script::json(r#"{"value":[]}"#),
    }
}

/// Requests of all kinds, good and bad.
async fn traffic(proxy: &Glassine) {
    for _ in 0..2 {
        assert_eq!(proxy.get(USERS).await.status, 200);
        for (id, status) in [("gone", 404), ("closed", 403), ("throttled", 429), ("odd", 502)] {
            let target = format!("{USERS}/{}", proxy.id(id));
            assert_eq!(proxy.get(&target).await.status, status, "{id}");
        }
    }
    for target in [
        "/v1.0/nothing",
        "/v1.0/users?$search=x",
        "/v1.0/users/%zz",
        "/v1.0/$metadata",
        "/v1.0/users/p~nothing",
    ] {
        proxy.get(target).await;
    }
    proxy.get_as("acme", USERS, &[("prefer", "odata.maxpagesize=")]).await;
    let bearer = format!("Bearer {}", Consumer::token("acme"));
    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for body in [r#"{"requests":[{"id":"1","method":"GET","url":"/users"}]}"#, "{"] {
        proxy.send_body("POST", "/v1.0/$batch", &json, body.to_owned()).await;
    }
}

async fn strangers(proxy: &Glassine) {
    for number in 0..20 {
        let (path, token) = (format!("/v1.0/stranger-{number}"), format!("Bearer stranger-{number}"));
        let host = format!("stranger-{number}.example");
        let method = format!("STRANGER{number}");
        proxy.send("GET", &path, &[("authorization", &token)]).await;
        proxy.send("GET", &path, &[("host", &host)]).await;
        proxy.send(&method, &path, &[("client-request-id", &host)]).await;
        proxy.get_as("acme", &path, &[("user-agent", &host)]).await;
    }
}

#[tokio::test]
async fn every_series_is_there_from_the_start_and_no_request_makes_another_one() {
    let graph = FakeUpstream::start(graph).await;
    let proxy = Setup::scripted(&graph).consumer(Consumer::new("other", METADATA_ONLY)).start().await;
    ready(&proxy).await;
    let before = scrape(&proxy).await;
    let counted: Vec<_> = before
        .iter()
        .filter(|(series, value)| series.contains("_total") && **value > 0.0)
        .map(|(series, _)| series.clone())
        .collect();
    assert_eq!(counted, ["glassine_reloads_total{result=\"ok\"}"], "all but the one of the start");
    traffic(&proxy).await;
    strangers(&proxy).await;
    let after = scrape(&proxy).await;
    let new: Vec<_> = after.keys().filter(|series| !before.contains_key(*series)).collect();
    assert_eq!(new, Vec::<&String>::new());
    assert!(!after.keys().any(|series| series.contains("stranger")));
    for (series, least) in [
        ("glassine_requests_total{decision=\"allowed\",status=\"200\",endpoint=\"list-users\"}", 2.0),
        ("glassine_requests_total{decision=\"allowed\",status=\"200\",endpoint=\"$batch\"}", 1.0),
        ("glassine_requests_total{decision=\"allowed\",status=\"200\",endpoint=\"$metadata\"}", 1.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"graph_404\"}", 2.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"graph_403\"}", 2.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"graph_429\"}", 2.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"graph_other\"}", 2.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"endpointNotAllowed\"}", 21.0),
        ("glassine_consumer_requests_total{consumer=\"acme\",reason=\"malformed_batch\"}", 1.0),
        ("glassine_consumer_requests_total{consumer=\"none\",reason=\"unauthenticated\"}", 40.0),
        ("glassine_consumer_requests_total{consumer=\"none\",reason=\"foreign_request\"}", 20.0),
        ("glassine_graph_response_duration_seconds_count{endpoint=\"list-users\"}", 3.0),
    ] {
        let value = after.get(series).copied();
        assert!(value.is_some_and(|value| value >= least), "{series}: {value:?}");
    }
    let of_other = |series: &&String| series.contains("consumer=\"other\"") && series.contains("_total");
    assert!(after.keys().filter(of_other).count() > 40);
    assert!(after.iter().filter(|(series, _)| of_other(series)).all(|(_, value)| *value == 0.0));
    assert!(!after.keys().any(|series| series.contains("reason=\"other\"") && after[series] > 0.0));
}
