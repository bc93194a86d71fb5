//! Everything that the proxy reads of a request's head: method, target, `Host`, `Authorization`, `Proxy-Authorization`,
//! `Prefer`, `ConsistencyLevel`, `Accept-Encoding`, `client-request-id`, `traceparent`, and `X-Forwarded-For` behind trusted proxies
//! (`forwarded`). It ignores all other headers, such as other `X-Forwarded-*` and `X-HTTP-Method-Override`.

use std::sync::Arc;

use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use super::host::Hosts;
use super::problem::Problem;
use crate::server::{bearer, single};
use crate::trace::TraceContext;
use crate::upstream::{AccessToken, MAX_SECRET, Secret};
use glassine_core::admit;
use glassine_core::graph::is_guid;

/// A request's head.
pub(super) struct Head<'a> {
    parts: &'a Parts,
    target: &'a str,
    prefer: Option<String>,
}

impl<'a> Head<'a> {
    pub(super) fn read(parts: &'a Parts) -> Self {
        Self {
            parts,
            target: parts.uri.path_and_query().map_or("", |target| target.as_str()),
            prefer: join(&parts.headers, &HeaderName::from_static("prefer")),
        }
    }

    /// The parts that decide whether the request is admitted.
    pub(super) fn request(&self) -> admit::Request<'_> {
        let level = single(self.headers(), &HeaderName::from_static("consistencylevel"));
        admit::Request {
            method: self.parts.method.as_str(),
            target: self.target,
            prefer: self.prefer.as_deref(),
            eventual: level.is_some_and(|level| level.eq_ignore_ascii_case("eventual")),
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.parts.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The `Bearer` credential (RFC 6750, 2.1) in the header of this name; `None` without one, or if the header comes
    /// more than once.
    pub(super) fn bearer(&self, name: &HeaderName) -> Option<&str> {
        bearer(self.headers(), name)
    }

    /// The consumer's own token for Graph, from `Authorization`.
    pub(super) fn graph_token(&self) -> Option<Arc<AccessToken>> {
        let token = self.bearer(&header::AUTHORIZATION).filter(|token| token.len() <= MAX_SECRET)?;
        Some(Arc::new(AccessToken::forwarded(Secret::new(token.to_owned()))))
    }

    /// The id that the consumer gave to the request; `None` if it is not a GUID.
    pub(super) fn client_request_id(&self) -> Option<&str> {
        let value = single(self.headers(), &HeaderName::from_static("client-request-id"))?;
        is_guid(value).then_some(value)
    }

    /// The trace that the request is part of; `None` if the consumer names none, or not as W3C Trace Context demands.
    pub(super) fn trace(&self) -> Option<TraceContext> {
        TraceContext::parse(single(self.headers(), &HeaderName::from_static("traceparent"))?)
    }

    /// Whether the consumer accepts gzip (RFC 9110, 12.5.3).
    pub(super) fn accepts_gzip(&self) -> bool {
        let listed = join(self.headers(), &header::ACCEPT_ENCODING).unwrap_or_default();
        let mut codings = listed.split(',').map(|item| item.split_once(';').unwrap_or((item, "")));
        codings.any(|(coding, parameters)| coding.trim().eq_ignore_ascii_case("gzip") && !is_zero(parameters))
    }

    /// Checks that the request is for this proxy.
    pub(super) fn check(&self, hosts: &Hosts) -> Result<(), Problem> {
        // An HTTP/1.0 response of unknown length ends with its connection, so a truncated one would look whole.
        if self.parts.version < Version::HTTP_11 {
            return Err(Problem::Version);
        }
        Ok(hosts.check(self.parts)?)
    }
}

/// Whether the parameters are `q=0`, which means "not acceptable".
fn is_zero(parameters: &str) -> bool {
    let weight = parameters.trim().strip_prefix("q=").or_else(|| parameters.trim().strip_prefix("Q="));
    weight.is_some_and(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0))
}

/// The lines of a list header, joined to one (RFC 9110, 5.3).
fn join(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
