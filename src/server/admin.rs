//! The responses of the admin listener (health, readiness, metrics) and of the listener for probes (health and readiness
//! in a word).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

use super::headers::bearer;
use super::readiness::{Check, Readiness};
use crate::config::BearerHash;
use crate::metrics::Metrics;

/// The media type of the OpenMetrics text format.
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The media type of Prometheus' own text format.
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The admin listener's handler. Pass [`Admin::respond`] to [`super::serve`].
#[derive(Clone)]
pub struct Admin {
    metrics: Arc<Metrics>,
    probes: Probes,
    tokens: Arc<[BearerHash]>,
}

/// The handler of the listener for probes. Anybody may reach it, so it says no more than a load balancer needs to know.
#[derive(Clone)]
pub struct Probes(Readiness);

impl Probes {
    /// A handler for this readiness.
    pub fn new(readiness: Readiness) -> Self {
        Self(readiness)
    }

    /// Responds to `GET` and `HEAD` of `/healthz` and `/readyz` with a word, and with 404 to everything else.
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        match (reads(request), request.uri().path()) {
            (true, "/healthz") => text(StatusCode::OK, "ok\n"),
            (true, "/readyz") => self.readiness(),
            _ => not_found(),
        }
    }

    fn readiness(&self) -> Response<Full<Bytes>> {
        let (status, word) = summary(self.0.trouble().is_none());
        text(status, word)
    }
}

impl Admin {
    /// A handler for these metrics and this readiness. With `tokens`, only their bearers read more than a word.
    pub fn new(metrics: Arc<Metrics>, readiness: Readiness, tokens: &[BearerHash]) -> Self {
        Self { metrics, probes: Probes::new(readiness), tokens: tokens.into() }
    }

    /// Responds to `GET` and `HEAD` of `/healthz`, `/readyz` and `/metrics`, and with 404 to everything else.
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        match (request.uri().path(), request.uri().query()) {
            ("/readyz", Some("verbose")) if reads(request) => self.to_bearer(request, Self::explained),
            ("/metrics", _) if reads(request) => self.to_bearer(request, Self::metrics),
            _ => self.probes.respond(request),
        }
    }

    fn to_bearer<B>(
        &self,
        request: &Request<B>,
        respond: fn(&Self, &HeaderMap) -> Response<Full<Bytes>>,
    ) -> Response<Full<Bytes>> {
        if self.tokens.is_empty() || self.is_bearer(request) {
            respond(self, request.headers())
        } else {
            unauthorized()
        }
    }

    fn is_bearer<B>(&self, request: &Request<B>) -> bool {
        bearer(request.headers(), &AUTHORIZATION)
            .is_some_and(|token| BearerHash::list_has(&self.tokens, &Sha256::digest(token).into()))
    }

    /// Readiness, with each check on a line.
    fn explained(&self, _: &HeaderMap) -> Response<Full<Bytes>> {
        let readiness = &self.probes.0;
        let checks = readiness.checks();
        let (status, word) = summary(!checks.iter().any(Check::is_bad));
        let lines: String = checks.iter().map(|check| format!("{check}\n")).collect();
        response(status, TEXT, format!("{word}{lines}{}", readiness.explanation()).into())
    }

    /// In the OpenMetrics format if the reader asks for it, as Prometheus does. Others get Prometheus' older one.
    fn metrics(&self, headers: &HeaderMap) -> Response<Full<Bytes>> {
        self.metrics.ready(self.probes.0.trouble().is_none());
        let (media_type, metrics) = match accepts_openmetrics(headers) {
            true => (OPENMETRICS, self.metrics.text()),
            false => (PROMETHEUS, self.metrics.prometheus_text()),
        };
        let Ok(metrics) = metrics else {
            return text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be encoded\n");
        };
        let mut response = response(StatusCode::OK, media_type, metrics.into());
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

/// Whether the reader names the OpenMetrics format, with any weight but zero (RFC 9110, 12.5.1).
fn accepts_openmetrics(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named =
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/openmetrics-text"));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_named && weight.and_then(|weight| weight.parse::<f32>().ok()).is_none_or(|weight| weight > 0.0)
    })
}

/// Whether the request only reads.
fn reads<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn summary(is_ready: bool) -> (StatusCode, &'static str) {
    if is_ready { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

fn not_found() -> Response<Full<Bytes>> {
    text(StatusCode::NOT_FOUND, "not found\n")
}

fn unauthorized() -> Response<Full<Bytes>> {
    let mut response =
        text(StatusCode::UNAUTHORIZED, "send a token whose hash is in `admin: bearer_sha256`\n");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, TEXT, Bytes::from_static(text.as_bytes()))
}

fn response(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::readiness::{Phase, Verdict};

    fn status(admin: &Admin, method: &str, path: &str) -> u16 {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        admin.respond(&request).status().as_u16()
    }

    #[test]
    fn only_the_three_paths_are_found() {
        let admin = Admin::new(Arc::new(Metrics::new()), Readiness::default(), &[]);
        for (method, path, expected) in [
            ("GET", "/healthz", 200),
            ("HEAD", "/healthz", 200),
            ("POST", "/healthz", 404),
            ("GET", "/healthz/", 404),
            ("GET", "/metrics", 200),
            ("GET", "/", 404),
            ("GET", "/v1.0/users", 404),
        ] {
            assert_eq!(status(&admin, method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn metrics_come_in_the_format_that_the_reader_names() {
        let admin = Admin::new(Arc::new(Metrics::new()), Readiness::default(), &[]);
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, is_openmetrics) in [
            (Some(prometheus), true),
            (Some("APPLICATION/OpenMetrics-Text"), true),
            (Some("application/openmetrics-text;q=0, text/plain"), false),
            (Some("text/plain;version=0.0.4"), false),
            (Some("*/*"), false),
            (None, false),
        ] {
            let mut request = Request::builder().uri("/metrics");
            if let Some(accept) = accept {
                request = request.header("accept", accept);
            }
            let response = admin.respond(&request.body(()).unwrap());
            let expected = if is_openmetrics { OPENMETRICS } else { PROMETHEUS };
            assert_eq!(response.headers().get(CONTENT_TYPE), Some(&expected), "{accept:?}");
        }
    }

    #[test]
    fn readiness_follows_the_shared_state() {
        let readiness = Readiness::default();
        let admin = Admin::new(Arc::new(Metrics::new()), readiness.clone(), &[]);
        assert_eq!(status(&admin, "GET", "/readyz"), 503);
        readiness.enter(Phase::Serving);
        assert_eq!(status(&admin, "GET", "/readyz"), 200);
        assert_eq!(status(&admin, "GET", "/readyz?verbose"), 200);
        let verdict = |verdict: Verdict| readiness.check_by(move || vec![Check::new("a", verdict.clone())]);
        verdict(Verdict::Bad("gone".to_owned()));
        assert_eq!(status(&admin, "GET", "/readyz"), 503);
        verdict(Verdict::Partly("gone for some".to_owned()));
        assert_eq!(status(&admin, "GET", "/readyz"), 200);
        readiness.enter(Phase::Stopping);
        assert_eq!(status(&admin, "GET", "/readyz"), 503);
    }
}
