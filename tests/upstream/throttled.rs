//! An issuer that asks to wait is left alone for that long, by everything that asks it.

use std::sync::Arc;
use std::time::Duration;

use glassine::upstream::{OAuthError, RenewalTimes, TokenError};
use http::StatusCode;

use super::token::{CALM, EAGER, expiring, granted, source, text_of};
use super::{LONG, PAUSE, SHORT};
use crate::support::upstream::{FakeUpstream, Script};

fn busy(seconds: &str) -> Script {
    Script::status(429).header("Retry-After", seconds)
}

fn asks_to_wait(status: StatusCode, seconds: u64) -> TokenError {
    TokenError::Busy { status, wait: Duration::from_secs(seconds) }
}

/// Fault: Entra throttles the application (429 with Retry-After). Outcome: nobody asks it again before that time is over.
#[tokio::test]
async fn retry_after_is_obeyed_by_requests_and_by_checks() {
    let entra = FakeUpstream::in_turn(vec![busy("2"), granted("one")]).await;
    let source = source(&entra, EAGER);
    let expected = asks_to_wait(StatusCode::TOO_MANY_REQUESTS, 2);
    for _ in 0..20 {
        assert_eq!(source.token().await.err(), Some(expected.clone()));
        assert_eq!(source.renewed().await.err(), Some(expected.clone()));
    }
    assert_eq!(entra.requests().len(), 1);
    tokio::time::sleep(Duration::from_millis(2050)).await;
    assert_eq!(text_of(&source).await, "one");
}

#[tokio::test]
async fn a_check_that_is_throttled_closes_the_issuer_for_requests_too() {
    let entra = FakeUpstream::in_turn(vec![busy("60"), granted("one")]).await;
    let source = source(&entra, EAGER);
    assert!(source.renewed().await.is_err() && source.token().await.is_err());
    assert_eq!(entra.requests().len(), 1);
}

/// Fault: Entra is overloaded (503 with Retry-After). Outcome: the old token serves, and nobody asks before the time is over.
#[tokio::test]
async fn the_old_token_serves_while_the_issuer_asks_to_wait() {
    let overloaded = Script::status(503).header("Retry-After", "60");
    let entra = FakeUpstream::in_turn(vec![expiring("one", 6), overloaded, granted("two")]).await;
    let source = source(&entra, RenewalTimes { renew_margin: LONG, ..EAGER });
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(Duration::from_millis(3010)).await;
    for _ in 0..10 {
        assert_eq!(text_of(&source).await, "one");
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(entra.requests().len(), 2, "one renewal was tried");
}

#[tokio::test]
async fn an_outage_without_retry_after_is_tried_again_after_the_interval() {
    let entra = FakeUpstream::in_turn(vec![Script::status(503), granted("one")]).await;
    let source = source(&entra, RenewalTimes { min_interval: SHORT, ..CALM });
    assert_eq!(source.token().await.err(), Some(TokenError::Unavailable(StatusCode::SERVICE_UNAVAILABLE)));
    tokio::time::sleep(SHORT).await;
    assert_eq!(text_of(&source).await, "one");
}

/// Fault: Entra sees a loop of token requests (AADSTS50196). Outcome: the proxy asks nothing for a minute.
#[tokio::test]
async fn a_detected_loop_is_ended() {
    let body = r#"{"error":"invalid_grant","error_codes":[50196]}"#;
    let entra = FakeUpstream::in_turn(vec![Script::status(400).body(body), granted("one")]).await;
    let source = Arc::new(source(&entra, EAGER));
    let expected = TokenError::Refused { error: OAuthError::InvalidGrant, aadsts: Some(50_196) };
    for _ in 0..5 {
        assert_eq!(source.renewed().await.err(), Some(expected.clone()));
        assert_eq!(source.token().await.err(), Some(expected.clone()));
    }
    assert_eq!(entra.requests().len(), 1);
    assert_eq!(expected.wait(), Some(Duration::from_secs(60)));
}
