//! The header fields of a request to Graph, as types. A consumer's own text cannot pass through them.

use std::fmt;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::secret::Secret;
use super::transport::AGENT;
use glassine_core::graph::Preference;
use glassine_core::hex;

/// What a request to Graph asks for besides its target.
#[derive(Clone, Debug)]
pub struct RequestHeaders {
    /// The media type of the response.
    pub accept: MediaType,
    /// Preferences (RFC 7240). They go out in one field line: a server may read only the first of several (RFC 7240
    /// section 2 allows lists and several lines, and every public client of Graph sends one line).
    pub prefer: Vec<Preference>,
    /// `ConsistencyLevel`, for advanced queries of directory objects.
    pub consistency_level: Option<ConsistencyLevel>,
    /// `client-request-id`, by which Microsoft's support finds the request.
    pub request_id: RequestId,
}

/// The media type of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MediaType {
    /// JSON, with the OData metadata level that the rules are written for.
    Json,
    /// The bare number of `/$count`.
    PlainText,
}

/// How fresh a response must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConsistencyLevel {
    /// The index may lag, and `$count` and `$search` of directory objects work.
    Eventual,
}

/// An id of one request, written as a GUID. The caller gives random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestId(pub [u8; 16]);

impl RequestHeaders {
    /// Plain JSON, no preferences.
    pub fn new(request_id: RequestId) -> Self {
        Self { accept: MediaType::Json, prefer: Vec::new(), consistency_level: None, request_id }
    }

    /// The headers, with the token. `None` if the token has bytes that a header field cannot hold.
    pub(super) fn to_map(&self, token: &Secret) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        map.insert(ACCEPT, HeaderValue::from_static(self.accept.as_str()));
        map.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        map.insert(AUTHORIZATION, bearer(token)?);
        map.insert(HeaderName::from_static("client-request-id"), self.request_id.field()?);
        map.insert(USER_AGENT, AGENT);
        if !self.prefer.is_empty() {
            let list = self.prefer.iter().map(Preference::to_string).collect::<Vec<_>>().join(", ");
            map.insert(HeaderName::from_static("prefer"), list.parse().ok()?);
        }
        if let Some(ConsistencyLevel::Eventual) = self.consistency_level {
            map.insert(HeaderName::from_static("consistencylevel"), HeaderValue::from_static("eventual"));
        }
        Some(map)
    }
}

/// `Bearer TOKEN` (RFC 6750 section 2.1), marked as sensitive: never printed, and never in an HPACK table.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    let text = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl RequestId {
    /// As a field's value. It never comes again, so it is kept out of HPACK's table, as sensitive values are: there it would push out
    /// those that do.
    fn field(self) -> Option<HeaderValue> {
        let mut value: HeaderValue = self.to_string().parse().ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl MediaType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json;odata.metadata=minimal",
            Self::PlainText => "text/plain",
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = hex::lower(&self.0);
        // The hyphens' positions (RFC 9562, section 4).
        for end in [8, 13, 18, 23] {
            text.insert(end, '-');
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_reads_as_a_guid() {
        let id = RequestId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "00010203-0405-0607-0809-0a0b0c0d0eff");
    }

    /// Regression: each preference had a line of its own, and the page size could get lost.
    #[test]
    fn preferences_share_one_field_line() {
        let sent = |prefer: &[Preference]| {
            let headers =
                RequestHeaders { prefer: prefer.to_vec(), ..RequestHeaders::new(RequestId([0; 16])) };
            let map = headers.to_map(&Secret::new("abc".into())).unwrap();
            map.get_all("prefer").iter().map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let size = Preference::MaxPageSize(7.try_into().unwrap());
        assert_eq!(
            sent(&[Preference::ImmutableId, size, Preference::ReturnMinimal]),
            ["IdType=\"ImmutableId\", odata.maxpagesize=7, return=minimal"]
        );
        assert_eq!(sent(&[size]), ["odata.maxpagesize=7"]);
        assert!(sent(&[]).is_empty());
    }

    #[test]
    fn a_token_that_a_header_field_cannot_hold_is_refused() {
        let headers = RequestHeaders::new(RequestId([0; 16]));
        assert!(headers.to_map(&Secret::new("abc\r\nX: y".into())).is_none());
        let map = headers.to_map(&Secret::new("abc".into())).unwrap();
        assert!(map[AUTHORIZATION].is_sensitive());
        assert_eq!(map[AUTHORIZATION], "Bearer abc");
        assert!(map["client-request-id"].is_sensitive(), "it would push out other fields from HPACK's table");
    }
}
