//! The admin listener's responses: health, readiness, metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;

use crate::metrics::Metrics;

/// The media type of the OpenMetrics text format.
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Whether requests can be served (true once everything is built, false when the drain begins), and what
/// `/readyz?verbose` says besides.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<State>);

#[derive(Debug, Default)]
struct State {
    ready: AtomicBool,
    explanation: ArcSwap<String>,
}

impl Readiness {
    /// Sets whether requests can be served.
    pub fn set(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Release);
    }

    /// Sets what `/readyz?verbose` says besides: whole lines.
    pub(crate) fn explain(&self, explanation: &str) {
        self.0.explanation.store(Arc::new(explanation.to_owned()));
    }

    /// Whether requests can be served.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }
}

/// The admin listener's handler. Pass [`Admin::respond`] to [`super::serve`].
#[derive(Clone)]
pub struct Admin {
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

impl Admin {
    /// A handler for these metrics and this readiness.
    pub fn new(metrics: Arc<Metrics>, readiness: Readiness) -> Self {
        Self { metrics, readiness }
    }

    /// Responds to `GET` and `HEAD` of `/healthz`, `/readyz` and `/metrics`, and with 404 to everything else.
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::NOT_FOUND, "not found\n");
        }
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "ok\n"),
            "/readyz" => self.readiness(request.uri().query() == Some("verbose")),
            "/metrics" => self.metrics(),
            _ => text(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    fn readiness(&self, is_verbose: bool) -> Response<Full<Bytes>> {
        let (status, summary) = match self.readiness.is_ready() {
            true => (StatusCode::OK, "ready\n"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        };
        if !is_verbose {
            return text(status, summary);
        }
        let explanation = self.readiness.0.explanation.load();
        response(status, TEXT, format!("{summary}{explanation}").into())
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        match self.metrics.text() {
            Ok(metrics) => response(StatusCode::OK, OPENMETRICS, metrics.into()),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be encoded\n"),
        }
    }
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

    fn status(admin: &Admin, method: &str, path: &str) -> u16 {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        admin.respond(&request).status().as_u16()
    }

    #[test]
    fn only_the_three_paths_are_found() {
        let admin = Admin::new(Arc::new(Metrics::new()), Readiness::default());
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
    fn readiness_follows_the_shared_state() {
        let readiness = Readiness::default();
        let admin = Admin::new(Arc::new(Metrics::new()), readiness.clone());
        assert_eq!(status(&admin, "GET", "/readyz"), 503);
        readiness.set(true);
        assert_eq!(status(&admin, "GET", "/readyz"), 200);
        assert_eq!(status(&admin, "GET", "/readyz?verbose"), 200);
    }
}
