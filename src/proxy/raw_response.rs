//! Graph's response. Its parts are private. Methods expose only facts for decisions, and clean values that may leave.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body_util::BodyExt;

use super::graph_error::{GraphError, NO_PERMISSIONS};
use super::pipeline::Broken;
use super::problem::Problem;
use crate::codec::{Bounds, GzipDecoder};
use crate::upstream::{GatedBody, MediaType, retry_after};
use glassine_core::rules::plan;
use glassine_core::sanitize::{Clean, Raw, gate};

/// The most bytes of an error body or a count, which the proxy reads whole. Graph's have less than 4 KiB.
pub(super) const MAX_WHOLE: usize = 64 * 1024;

/// A header that may leave.
pub(super) type CleanHeader = (&'static str, Clean<String>);

/// A response of which nothing has left yet.
pub(super) struct RawResponse(Response<GatedBody>);

/// The body of a response, with its content coding.
pub(super) struct RawBody {
    pub(super) body: GatedBody,
    pub(super) inflater: Option<GzipDecoder>,
}

impl RawResponse {
    pub(super) fn new(response: Response<GatedBody>) -> Self {
        Self(response)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(super) fn is_error(&self) -> bool {
        self.status() != StatusCode::OK
    }

    pub(super) fn clean_headers(&self) -> Vec<CleanHeader> {
        let clean = |name: &'static str| {
            let value = self.0.headers().get(name)?;
            Some((name, gate::header(name, Raw::new(value.as_bytes()))?))
        };
        gate::header_names().filter_map(clean).collect()
    }

    /// How long Graph asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry_after(self.0.headers(), SystemTime::now())
    }

    /// An error response, read to its end.
    pub(super) async fn into_error(self, in_mailbox: bool) -> GraphError {
        let (mut status, headers, retry_after) = (self.status(), self.clean_headers(), self.retry_after());
        let code = self.error_code().await;
        if status == StatusCode::UNAUTHORIZED
            && code.as_ref().is_some_and(|code| *code.get() == NO_PERMISSIONS)
        {
            status = StatusCode::FORBIDDEN;
        }
        GraphError { status, code, headers, retry_after, fate: None, in_mailbox }
    }

    pub(super) fn require_json(&self) -> Result<(), Problem> {
        self.require("application/json")
    }

    pub(super) fn require_text(&self) -> Result<(), Problem> {
        self.require("text/plain")
    }

    /// Requires the `expected` media type, and UTF-8 if a charset is given.
    fn require(&self, expected: &str) -> Result<(), Problem> {
        let mut values = self.0.headers().get_all(CONTENT_TYPE).iter();
        let (Some(value), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
            return Err(Problem::ContentType);
        };
        let mut parts = value.split(';').map(str::trim);
        let is_expected = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(expected));
        let charset = |part: &str| {
            part.split_once('=')
                .filter(|(name, _)| name.eq_ignore_ascii_case("charset"))
                .is_none_or(|(_, set)| set.trim_matches('"').eq_ignore_ascii_case("utf-8"))
        };
        if is_expected && parts.all(charset) { Ok(()) } else { Err(Problem::ContentType) }
    }

    pub(super) fn into_body(self) -> Result<RawBody, Problem> {
        let mut codings = self.0.headers().get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes());
        let inflater = match (codings.next(), codings.next()) {
            (None, _) => None,
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"identity") => None,
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"gzip") => {
                Some(GzipDecoder::new(Bounds::default()))
            }
            _ => return Err(Problem::ContentEncoding),
        };
        Ok(RawBody { body: self.0.into_body(), inflater })
    }

    /// The code of an error response, if it may leave. The rest of the body never leaves. A malformed body gives
    /// `None`.
    async fn error_code(self) -> Option<Clean<&'static str>> {
        self.require_json().ok()?;
        let body = self.into_body().ok()?.whole().await.ok()?;
        gate::error_code(body.bytes())
    }
}

impl RawBody {
    /// The decoded body, up to [`MAX_WHOLE`] bytes.
    pub(super) async fn whole(self) -> Result<Raw<Vec<u8>>, Broken> {
        let Self { body, mut inflater } = self;
        let mut body = Box::pin(body);
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let data: Bytes = frame?.into_data().unwrap_or_default();
            match &mut inflater {
                None => append(&mut whole, &data)?,
                Some(inflater) => inflater.push(&data, &mut |decoded| append(&mut whole, decoded))?,
            }
        }
        if let Some(inflater) = inflater {
            inflater.finish()?;
        }
        Ok(Raw::new(whole))
    }
}

fn append(whole: &mut Vec<u8>, data: &[u8]) -> Result<(), Broken> {
    if whole.len() + data.len() > MAX_WHOLE {
        return Err(Broken::TooLong);
    }
    whole.extend_from_slice(data);
    Ok(())
}

/// The `Accept` header for Graph.
pub(super) fn accepts(response: &plan::Response) -> MediaType {
    match response {
        plan::Response::Json(_) => MediaType::Json,
        plan::Response::Count(_) => MediaType::PlainText,
    }
}
