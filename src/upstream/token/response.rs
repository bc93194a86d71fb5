//! Reads a token endpoint's response strictly. Keeps only the codes of a refusal.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::error::{OAuthError, ResponseFault, TokenError};
use super::{Grant, Lifetime};
use crate::upstream::body::UpstreamBody;
use crate::upstream::error::UpstreamError;
use crate::upstream::retry_after;
use crate::upstream::secret::{MAX_SECRET, Secret, visible};
use glassine_core::graph::without_byte_order_mark;

/// The most bytes of a token endpoint's response: twice the longest token.
pub(super) const MAX_RESPONSE: u64 = 64 * 1024;

/// The longest lifetime that is accepted, in seconds. The longest documented one is 28 hours, for clients with
/// continuous access evaluation.
const MAX_LIFE: u64 = 28 * 60 * 60;

/// How long a 429 without `Retry-After` asks to wait. MSAL's default
/// (<https://learn.microsoft.com/entra/msal/javascript/browser/client-side-throttling>).
const THROTTLED_WAIT: Duration = Duration::from_secs(60);

/// The longest wait that is obeyed. A longer one would keep the proxy without a token although Entra has recovered. MSAL's
/// bound is an hour, but the users of MSAL can start their program again.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(300);

/// The whole body, in a buffer that is wiped when dropped.
pub(super) async fn collect(body: UpstreamBody) -> Result<Zeroizing<Vec<u8>>, UpstreamError> {
    let mut body = pin!(body);
    // The buffer has its full size at once: growing would leave copies of the token in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_RESPONSE).unwrap_or_default()));
    while let Some(frame) = body.frame().await {
        bytes.extend_from_slice(frame?.data_ref().map(Bytes::as_ref).unwrap_or_default());
    }
    Ok(bytes)
}

/// How long a response asks to wait before the next request. Only 429 and 5xx may ask.
pub(super) fn wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let is_throttled = status == StatusCode::TOO_MANY_REQUESTS;
    if !is_throttled && !status.is_server_error() {
        return None;
    }
    let asked = retry_after(headers, SystemTime::now());
    asked.or(is_throttled.then_some(THROTTLED_WAIT)).map(|wait| wait.min(MAX_WAIT))
}

/// The error of a response with another status than expected, which is not a refusal.
pub(super) fn unavailable(status: StatusCode, wait: Option<Duration>) -> TokenError {
    wait.map_or(TokenError::Unavailable(status), |wait| TokenError::Busy { status, wait })
}

/// The body of a successful response. Any other response is an error.
pub(super) fn accepted(
    status: StatusCode,
    wait: Option<Duration>,
    body: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    if status == StatusCode::OK {
        return Ok(body);
    }
    match parse::<Refusal>(&body) {
        Ok(refusal) if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => {
            Err(refusal.into())
        }
        Ok(_) | Err(_) => Err(unavailable(status, wait)),
    }
}

/// A JSON document, before which there may be a byte order mark.
fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(without_byte_order_mark(body))
}

/// A token response (RFC 6749 section 5.1). A managed identity's response has `expires_on`, in seconds since 1970,
/// besides or in place of `expires_in`.
#[derive(Deserialize)]
struct Granted {
    token_type: String,
    expires_in: Option<Seconds>,
    expires_on: Option<Seconds>,
    access_token: String,
}

/// The response to an authorization code (OpenID Connect Core, 3.1.3.3). Its access token is not used.
#[derive(Deserialize)]
struct Identified {
    id_token: String,
}

/// The v2.0 endpoint sends a number; v1.0 and similar endpoints send a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// The token in a response that arrived at `now`.
pub(super) fn granted(body: &[u8], now: Timestamp) -> Result<Grant, ResponseFault> {
    let Granted { token_type, expires_in, expires_on, access_token } =
        parse(body).map_err(|_| ResponseFault::Json)?;
    let secret = Secret::new(access_token);
    if !token_type.eq_ignore_ascii_case("Bearer") {
        return Err(ResponseFault::Type);
    }
    let fits = (1..=MAX_SECRET).contains(&secret.expose().len());
    if !fits || visible(secret.expose().as_bytes()).is_none() {
        return Err(ResponseFault::Token);
    }
    let life = match (expires_in, expires_on) {
        (Some(life), _) => life.get(),
        (None, Some(end)) => end.get().and_then(|end| end.checked_sub(u64::try_from(now.as_second()).ok()?)),
        (None, None) => return Err(ResponseFault::Json),
    };
    let life = life.filter(|seconds| *seconds > 0).ok_or(ResponseFault::Lifetime)?;
    Ok(Grant { secret, lifetime: Lifetime::Ends(Duration::from_secs(life.min(MAX_LIFE))) })
}

/// The id_token in a response.
pub(super) fn identified(body: &[u8]) -> Result<Secret, ResponseFault> {
    let Identified { id_token } = parse(body).map_err(|_| ResponseFault::Identity)?;
    Ok(Secret::new(id_token))
}

impl Seconds {
    fn get(self) -> Option<u64> {
        let digits = |text: &String| text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Number(seconds) => Some(seconds),
            Self::Text(text) => Some(text).filter(digits)?.parse().ok(),
        }
    }
}

/// An error response (RFC 6749 section 5.2, and Entra's extensions).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        let aadsts = refusal.error_codes.first().copied().or_else(|| described(&refusal.error_description));
        Self::Refused { error: OAuthError::from_code(&refusal.error), aadsts }
    }
}

/// The number in `AADSTS7000215: …`.
fn described(description: &str) -> Option<u32> {
    let (number, _) = description.strip_prefix("AADSTS")?.split_once(':')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn response(status: u16, body: &str) -> Result<(String, Duration), TokenError> {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        let body = accepted(StatusCode::from_u16(status).unwrap(), None, body)?;
        let grant = granted(&body, NOW).map_err(TokenError::Response)?;
        let Lifetime::Ends(life) = grant.lifetime else { panic!("every token of Entra expires") };
        Ok((grant.secret.expose().to_owned(), life))
    }

    fn fault(body: &str) -> TokenError {
        response(200, body).unwrap_err()
    }

    #[test]
    fn a_token_response_is_read_with_either_spelling_of_seconds() {
        for seconds in ["3599", "\"3599\""] {
            let body = format!(
                r#"{{"token_type":"Bearer","expires_in":{seconds},"ext_expires_in":3599,"access_token":"ey.J"}}"#
            );
            assert_eq!(response(200, &body), Ok(("ey.J".into(), Duration::from_secs(3599))));
        }
    }

    #[test]
    fn a_response_that_is_not_as_documented_is_refused() {
        let with = |kind: &str, life: &str, token: &str| {
            fault(&format!(r#"{{"token_type":"{kind}","expires_in":{life},"access_token":"{token}"}}"#))
        };
        assert_eq!(with("mac", "3599", "a"), TokenError::Response(ResponseFault::Type));
        for life in ["0", "\"\"", "\"+5\"", "\"1h\"", "\"99999999999999999999\""] {
            assert_eq!(with("bearer", life, "a"), TokenError::Response(ResponseFault::Lifetime), "{life}");
        }
        for life in ["-1", "3.5", "null", "[]"] {
            assert_eq!(with("Bearer", life, "a"), TokenError::Response(ResponseFault::Json), "{life}");
        }
        for token in ["", "a b", r"a\r\nb", r"\u00e9"] {
            assert_eq!(with("Bearer", "3599", token), TokenError::Response(ResponseFault::Token), "{token}");
        }
        for body in ["", "[]", "<html>", "{}", r#"{"token_type":"Bearer","expires_in":1}"#] {
            assert_eq!(fault(body), TokenError::Response(ResponseFault::Json), "{body}");
        }
    }

    #[test]
    fn a_managed_identitys_response_says_when_the_token_expires() {
        let with = |end: &str| {
            response(200, &format!(r#"{{"token_type":"Bearer","expires_on":{end},"access_token":"a"}}"#))
        };
        for end in ["1800003600", "\"1800003600\""] {
            assert_eq!(with(end), Ok(("a".into(), Duration::from_secs(3600))));
        }
        for end in ["\"1800000000\"", "1799999999", "\"2027-01-15T08:00:00Z\"", "\"\""] {
            assert_eq!(with(end), Err(TokenError::Response(ResponseFault::Lifetime)), "{end}");
        }
    }

    #[test]
    fn a_lifetime_beyond_the_longest_documented_one_is_cut() {
        let body = format!(r#"{{"token_type":"Bearer","expires_in":{},"access_token":"a"}}"#, u64::MAX);
        assert_eq!(response(200, &body), Ok(("a".into(), Duration::from_secs(MAX_LIFE))));
    }

    #[test]
    fn a_refusal_keeps_only_the_codes() {
        let refused = |aadsts| Err(TokenError::Refused { error: OAuthError::InvalidClient, aadsts });
        let text = r#""error_description":"AADSTS7000215: Invalid client secret for app 'x'.""#;
        assert_eq!(response(401, &format!(r#"{{"error":"invalid_client",{text}}}"#)), refused(Some(7000215)));
        let codes = r#"{"error":"invalid_client","error_codes":[7000222]}"#;
        assert_eq!(response(401, codes), refused(Some(7000222)));
        assert_eq!(response(400, r#"{"error":"invalid_client"}"#), refused(None));
    }

    #[test]
    fn an_outage_is_not_a_refusal() {
        let unavailable = |status| Err(TokenError::Unavailable(StatusCode::from_u16(status).unwrap()));
        assert_eq!(response(503, r#"{"error":"temporarily_unavailable"}"#), unavailable(503));
        assert_eq!(response(429, ""), unavailable(429));
        assert_eq!(response(400, "<html>proxy error"), unavailable(400));
    }

    #[test]
    fn a_throttled_or_overloaded_issuer_is_left_alone_for_a_while() {
        let asked = |status: u16, field: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.extend(field.map(|field| (http::header::RETRY_AFTER, field.parse().unwrap())));
            wait(StatusCode::from_u16(status).unwrap(), &headers).map(|wait| wait.as_secs())
        };
        for (status, field, expected) in [
            (429, Some("7"), Some(7)),
            (503, Some("7"), Some(7)),
            (429, Some("99999"), Some(MAX_WAIT.as_secs())),
            (429, None, Some(60)),
            (429, Some("soon"), Some(60)),
            (503, None, None),
            (400, Some("7"), None),
            (200, Some("7"), None),
        ] {
            assert_eq!(asked(status, field), expected, "{status} {field:?}");
        }
    }
}
