//! A request's body: the envelope of a batch, or none.

use std::time::Duration;

use http::Method;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::problem::Problem;
use glassine_core::graph::batch::MAX_ENVELOPE;

/// An envelope is small, so a consumer that takes longer has stopped sending.
const TIME: Duration = Duration::from_secs(10);

/// Reads an envelope, bounded in size and time.
pub(super) async fn read_envelope(body: Incoming) -> Result<Vec<u8>, Problem> {
    // Refuse a declared length that is too large before reading: the client may wait for 100 (Continue) before it
    // sends.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > MAX_ENVELOPE) {
        return Err(Problem::EnvelopeTooLarge);
    }
    let reading = Limited::new(body, MAX_ENVELOPE).collect();
    match timeout(TIME, reading).await {
        Ok(Ok(envelope)) => Ok(envelope.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::EnvelopeTooLarge),
        Ok(Err(_)) => Err(Problem::MalformedBody),
        Err(_) => Err(Problem::EnvelopeTimeout),
    }
}

/// Checks that the request has no body. The head may not show this: HTTP/2 clients may send END_STREAM on an empty DATA
/// frame, and HTTP/1.1 clients an empty chunked body. Other methods than GET and HEAD pass here; admission refuses
/// them.
pub(super) async fn check_no_body(method: &Method, body: Incoming) -> Result<(), Problem> {
    if body.is_end_stream() || !matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    if body.size_hint().lower() > 0 {
        return Err(Problem::RequestBody);
    }
    match timeout(TIME, has_data(body)).await {
        Ok(Ok(false)) => Ok(()),
        Ok(Ok(true)) | Err(_) => Err(Problem::RequestBody),
        Ok(Err(_)) => Err(Problem::MalformedBody),
    }
}

async fn has_data(mut body: Incoming) -> Result<bool, hyper::Error> {
    while let Some(frame) = body.frame().await {
        if frame?.data_ref().is_some_and(|data| !data.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}
