//! An upstream that takes its time.

use std::pin::pin;

use glassine::upstream::{Phase, Timeouts, UpstreamError};
use http_body_util::BodyExt;

use super::{PAGE, PATIENT, PAUSE, SHORT, response, text};
use crate::support::upstream::{FakeUpstream, Script};

/// Fault: Graph sends no head. Outcome: the request fails when the time limit for the head is over.
#[tokio::test]
async fn a_missing_response_is_a_timeout() {
    let graph = FakeUpstream::always(Script::never()).await;
    let head = Timeouts { head: SHORT, ..PATIENT };
    assert_eq!(response(&graph, head).await.err(), Some(UpstreamError::Timeout(Phase::Head)));

    let graph = FakeUpstream::always(Script::json(PAGE).delayed(PAUSE)).await;
    assert!(response(&graph, head).await.is_ok());
}

/// Fault: Graph falls silent within a head. Outcome: the request fails when the time limit for the head is over.
#[tokio::test]
async fn a_stall_within_the_head() {
    let graph = FakeUpstream::always(Script::json(PAGE).stall_in_head(30)).await;
    let head = Timeouts { head: SHORT, ..PATIENT };
    assert_eq!(response(&graph, head).await.err(), Some(UpstreamError::Timeout(Phase::Head)));
}

/// Fault: Graph falls silent within a body. Outcome: the body ends with an error when the time limit for silence is over.
#[tokio::test]
async fn a_stall_within_the_body() {
    let idle = Timeouts { idle: SHORT, ..PATIENT };
    for script in [Script::json(PAGE).stall_after(10), Script::json(PAGE).chunked(4).stall_after(10)] {
        let graph = FakeUpstream::always(script).await;
        let response = response(&graph, idle).await.unwrap();
        assert_eq!(text(response).await, Err(UpstreamError::Timeout(Phase::Idle)));
    }
}

#[tokio::test]
async fn a_slow_body_is_not_a_stall() {
    let idle = Timeouts { idle: SHORT, ..PATIENT };
    let graph = FakeUpstream::always(Script::json(PAGE).chunked(2).paced(PAUSE)).await;
    assert_eq!(text(response(&graph, idle).await.unwrap()).await.unwrap(), PAGE);
}

/// Fault: a consumer pauses for longer than the time limit for Graph's silence. Outcome: the response goes on.
#[tokio::test]
async fn a_reader_that_pauses_is_not_a_stall() {
    let idle = Timeouts { idle: SHORT, ..PATIENT };
    let graph = FakeUpstream::always(Script::json(PAGE).chunked(20)).await;
    let response = response(&graph, idle).await.unwrap();
    tokio::time::sleep(2 * SHORT).await;
    assert_eq!(text(response).await.unwrap(), PAGE);
}

/// Fault: Graph sends a body slowly without end. Outcome: the body ends with an error when the time limit for the whole is over.
#[tokio::test]
async fn a_body_that_takes_too_long_as_a_whole() {
    let total = Timeouts { total: SHORT, ..PATIENT };
    let graph = FakeUpstream::always(Script::json(PAGE).chunked(1).paced(PAUSE)).await;
    let response = response(&graph, total).await.unwrap();
    assert_eq!(text(response).await, Err(UpstreamError::Timeout(Phase::Total)));
}

#[tokio::test]
async fn nothing_comes_after_an_error() {
    let idle = Timeouts { idle: SHORT, ..PATIENT };
    let graph = FakeUpstream::always(Script::json(PAGE).stall_after(0)).await;
    let mut body = pin!(response(&graph, idle).await.unwrap().into_body());
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none());
}
