//! Permissions that are granted while a token is in use: when another token is fetched for them, and when not.

use std::sync::Arc;
use std::time::Duration;

use glassine::upstream::RenewalTimes;

use super::token::{CALM, EAGER, granted, source, text_of};
use super::{LONG, SHORT};
use crate::support::upstream::{FakeUpstream, Script};

/// `two` is the token that has the permission.
async fn issuer() -> FakeUpstream {
    FakeUpstream::in_turn(vec![granted("one"), granted("two"), granted("three")]).await
}

#[tokio::test]
async fn an_old_token_that_graph_denies_is_renewed_once_for_all_requests() {
    let entra = issuer().await;
    let source = Arc::new(source(&entra, RenewalTimes { denied_age: SHORT, ..CALM }));
    let one = source.token().await.unwrap();
    assert!(source.token_after(&one).await.is_none(), "the token is young");
    tokio::time::sleep(SHORT).await;
    let denied = (0..20).map(|_| {
        let (source, one) = (Arc::clone(&source), Arc::clone(&one));
        tokio::spawn(async move { source.token_after(&one).await.unwrap() })
    });
    for newer in denied.collect::<Vec<_>>() {
        assert_eq!(newer.await.unwrap().secret().expose(), "two");
    }
    let two = source.token().await.unwrap();
    assert!(source.token_after(&two).await.is_none(), "the token is young again");
    assert_eq!(entra.requests().len(), 2);
}

/// A managed identity's token comes from a cache of the platform.
#[tokio::test]
async fn the_same_token_again_is_no_reason_to_ask_again() {
    let entra = FakeUpstream::always(granted("one")).await;
    let source = source(&entra, RenewalTimes { denied_age: SHORT, ..CALM });
    let one = source.token().await.unwrap();
    tokio::time::sleep(SHORT).await;
    for _ in 0..5 {
        assert!(source.token_after(&one).await.is_none());
    }
    assert_eq!(entra.requests().len(), 2, "one renewal in the time between two");
}

#[tokio::test]
async fn a_denial_does_not_ask_an_issuer_that_wants_no_request() {
    let busy = Script::status(429).header("Retry-After", "60");
    let entra = FakeUpstream::in_turn(vec![granted("one"), busy, granted("two")]).await;
    let source = source(&entra, RenewalTimes { denied_age: Duration::ZERO, ..CALM });
    let one = source.token().await.unwrap();
    for _ in 0..5 {
        assert!(source.token_after(&one).await.is_none());
    }
    assert_eq!((entra.requests().len(), text_of(&source).await.as_str()), (2, "one"));
}

#[tokio::test]
async fn a_token_that_a_check_found_incomplete_is_not_kept() {
    let entra = issuer().await;
    let source = source(&entra, RenewalTimes { await_pauses: (SHORT, SHORT), ..CALM });
    let one = source.renewed().await.unwrap();
    source.await_permissions("acme".into(), |token| token.secret().expose() == "two");
    assert_eq!(text_of(&source).await, "one", "not before the pause is over");
    tokio::time::sleep(SHORT).await;
    // This request still has the old token. If Graph denies it, it waits for the new one.
    assert_eq!(text_of(&source).await, "one");
    assert_eq!(source.token_after(&one).await.unwrap().secret().expose(), "two");
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(text_of(&source).await, "two");
    tokio::time::sleep(SHORT).await;
    assert_eq!(
        (text_of(&source).await.as_str(), entra.requests().len()),
        ("two", 2),
        "nothing is missing now"
    );
}

/// Regression: the check of one consumer ended the waiting for what another one's had found missing.
#[tokio::test]
async fn consumers_of_one_application_await_their_own_permissions() {
    let entra = issuer().await;
    let source = source(&entra, RenewalTimes { await_pauses: (SHORT, SHORT), ..CALM });
    source.renewed().await.unwrap();
    source.await_permissions("acme".into(), |token| token.secret().expose() == "three");
    source.await_permissions("other".into(), |token| token.secret().expose() == "two");
    for expected in ["two", "three"] {
        let before = source.token().await.unwrap();
        tokio::time::sleep(SHORT).await;
        source.token().await.unwrap();
        assert_eq!(source.token_after(&before).await.unwrap().secret().expose(), expected);
    }
    tokio::time::sleep(SHORT).await;
    assert_eq!((text_of(&source).await.as_str(), entra.requests().len()), ("three", 3), "nothing is missing");
}

#[tokio::test]
async fn the_pauses_between_these_renewals_grow() {
    let entra = issuer().await;
    let source = source(&entra, RenewalTimes { await_pauses: (SHORT, LONG), ..EAGER });
    source.renewed().await.unwrap();
    source.await_permissions("acme".into(), |_| false);
    tokio::time::sleep(SHORT * 7).await;
    for _ in 0..20 {
        source.token().await.unwrap();
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(SHORT / 2).await;
    assert_eq!(entra.requests().len(), 2, "the second renewal is not due yet");
}
