//! An upstream whose bytes are wrong.

use glassine::upstream::{GraphClient, Phase, Settings, Timeouts, UpstreamError};
use http_body_util::BodyExt;

use super::{PAGE, PATIENT, SHORT, ask, client, get, headers, response, settings, text, token};
use crate::support::upstream::{FakeUpstream, Script};

/// Fault: a body from Graph ends before its announced length or last chunk. Outcome: the body ends with an error, never as if it were whole.
#[tokio::test]
async fn a_body_that_ends_too_early() {
    let cut_short = [
        Script::json(PAGE).close_after(10),
        Script::json(PAGE).chunked(4).close_after(10),
        Script::json(PAGE).chunked(4).close_after(10 * 9 + 6),
        Script::json(PAGE).chunked(4).close_after(10 * 9 + 6 + 3),
        Script::json(PAGE).claiming(1000).close_after(PAGE.len()),
    ];
    for script in cut_short {
        let graph = FakeUpstream::always(script.clone()).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Truncated), "{script:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_too_long_stalls() {
    let graph = FakeUpstream::always(Script::json(PAGE).claiming(1000)).await;
    let response = response(&graph, Timeouts { idle: SHORT, ..PATIENT }).await.unwrap();
    assert_eq!(text(response).await, Err(UpstreamError::Timeout(Phase::Idle)));
}

/// Fault: Graph sends more bytes than it announces. Outcome: the rest never becomes the next response, and the connection is not used again.
#[tokio::test]
async fn a_length_that_is_too_short_does_not_reach_the_next_response() {
    let smuggled = "{}HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\"other\"";
    let graph = FakeUpstream::in_turn(vec![Script::json(smuggled).claiming(2), Script::json(PAGE)]).await;
    let client = client(&graph, PATIENT);
    for expected in ["{}", PAGE] {
        let response = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
        assert_eq!(text(response).await.unwrap(), expected);
    }
    assert_eq!(graph.connections(), 2, "the first one is not to be trusted any more");
}

/// Fault: Graph resets the connection. Outcome: the error says that the connection was reset.
#[tokio::test]
async fn a_reset() {
    let graph = FakeUpstream::always(Script::json(PAGE).reset_after(10)).await;
    assert_eq!(get(&graph).await, Err(UpstreamError::Reset));
    let graph = FakeUpstream::always(Script::json(PAGE).reset_in_head(0)).await;
    assert_eq!(get(&graph).await, Err(UpstreamError::Reset));
}

#[tokio::test]
async fn a_pooled_connection_that_is_lost_is_replaced_once() {
    let lost = Script::json(PAGE).close_in_head(0);
    let graph = FakeUpstream::in_turn(vec![Script::json(PAGE), lost.clone(), Script::json(PAGE)]).await;
    let client = client(&graph, PATIENT);
    for _ in 0..2 {
        assert_eq!(ask(&client).await, Ok((200, PAGE.into())));
    }
    assert_eq!(graph.requests().len(), 3);

    let graph = FakeUpstream::always(lost).await;
    assert_eq!(get(&graph).await, Err(UpstreamError::Truncated));
    assert_eq!(graph.requests().len(), 2);
}

/// Fault: Graph closes the connection within a head. Outcome: the request fails.
#[tokio::test]
async fn a_head_that_ends_too_early() {
    let graph = FakeUpstream::always(Script::json(PAGE).close_in_head(20)).await;
    assert_eq!(get(&graph).await, Err(UpstreamError::Truncated));
}

/// Fault: another protocol than HTTP responds on Graph's port. Outcome: the request fails with a protocol error.
#[tokio::test]
async fn a_response_that_is_not_http_is_refused() {
    for garbage in ["SSH-2.0-OpenSSH_9.6\r\n", "\0\0\0\0\0\0\0\0", "<html>hello</html>\r\n\r\n"] {
        let graph = FakeUpstream::always(Script::raw(garbage)).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Protocol), "{garbage:?}");
    }
}

/// Fault: Graph sends a malformed chunk. Outcome: the body ends with an error.
#[tokio::test]
async fn a_chunk_that_is_none() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for bad in ["xyz\r\n", "2\r\n{}garbage", "ffffffffffffffffff\r\n"] {
        let graph = FakeUpstream::always(Script::raw(format!("{head}{bad}"))).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Protocol), "{bad:?}");
    }
    let graph = FakeUpstream::always(Script::raw(format!("{head}2\r\n{{}}\r\n0\r\n\r\n"))).await;
    assert_eq!(get(&graph).await, Ok((200, "{}".into())));
}

#[tokio::test]
async fn trailers_are_left_behind() {
    let raw =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\nX-A: b\r\n\r\n";
    let graph = FakeUpstream::always(Script::raw(raw)).await;
    let body = response(&graph, PATIENT).await.unwrap().into_body().collect().await.unwrap();
    assert!(body.trailers().is_none());
    assert_eq!(body.to_bytes(), "{}");
}

/// Fault: Graph sends more header fields, or longer ones, than allowed. Outcome: the request fails, because the head is too large.
#[tokio::test]
async fn many_or_long_header_fields() {
    let with_fields = |count| (0..count).fold(Script::json(PAGE), |script, _| script.header("X-A", "b"));
    let with_length = |length| Script::json(PAGE).header("X-A", &"b".repeat(length));
    for fine in [with_fields(90), with_length(30_000)] {
        assert!(get(&FakeUpstream::always(fine).await).await.is_ok());
    }
    for huge in [with_fields(200), with_length(70_000)] {
        assert_eq!(get(&FakeUpstream::always(huge).await).await, Err(UpstreamError::HeadTooLarge));
    }
}

/// Fault: a body from Graph is longer than the limit. Outcome: the body ends with an error at the limit.
#[tokio::test]
async fn a_body_over_the_bound() {
    let limit = u64::try_from(PAGE.len()).unwrap();
    for script in [Script::json(PAGE), Script::json(PAGE).chunked(5)] {
        let graph = FakeUpstream::always(script).await;
        let bounded = |max_body| Settings { max_body, ..settings(&graph, PATIENT) };
        assert_eq!(ask(&GraphClient::new(bounded(limit)).unwrap()).await, Ok((200, PAGE.into())));
        let limit = limit - 1;
        let refused = ask(&GraphClient::new(bounded(limit)).unwrap()).await;
        assert_eq!(refused, Err(UpstreamError::BodyTooLarge { limit }));
    }
}

/// Fault: Graph announces a body that is longer than the limit. Outcome: the request fails before the body is read.
#[tokio::test]
async fn a_declared_length_over_the_bound_is_refused_with_the_head() {
    let limit = 1 << 20;
    let claiming = |length| FakeUpstream::always(Script::json(PAGE).claiming(length));
    let refused = response(&claiming(limit + 1).await, PATIENT).await.err();
    assert_eq!(refused, Some(UpstreamError::BodyTooLarge { limit }));
    assert!(response(&claiming(limit).await, PATIENT).await.is_ok());
}

#[tokio::test]
async fn compression_is_not_touched() {
    let graph = FakeUpstream::always(Script::gzip(PAGE)).await;
    let response = response(&graph, PATIENT).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
}

/// Fault: Graph sends a gzip bomb. Outcome: decoding stops at the limit for the ratio.
#[tokio::test]
async fn a_bomb_is_seen_by_the_decoder() {
    use glassine::codec::{Bounds, GzipDecodeError, GzipDecoder};
    for (script, expected) in [(Script::bomb(8), Err(GzipDecodeError::Ratio)), (Script::gzip(PAGE), Ok(()))] {
        let graph = FakeUpstream::always(script).await;
        let packed = response(&graph, PATIENT).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        let mut inflater = GzipDecoder::new(Bounds::default());
        assert_eq!(inflater.push(&packed, &mut |_| Ok(())), expected);
    }
}
