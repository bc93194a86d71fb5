//! What a request carries: the envelope of a batch, or nothing.

use std::time::Duration;

use http::Method;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::problem::Problem;
use glassine_core::graph::batch::MAX_ENVELOPE;

/// An envelope is small; a consumer that takes longer is not sending it.
const TIME: Duration = Duration::from_secs(10);

/// Reads an envelope, bounded in size and time.
pub(super) async fn read_envelope(body: Incoming) -> Result<Vec<u8>, Problem> {
    // What was declared too large is refused at once: it may be held back until there is a 100 (Continue).
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

/// The request carries nothing. An HTTP/2 client may say so only behind the head (END_STREAM on an empty DATA frame), an
/// HTTP/1.1 client by an empty chunked body. Another method is refused for what it is, with or without a body.
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
