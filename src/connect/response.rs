//! Every response of the connection pages, with headers that forbid scripts, frames, caching and requests to other
//! sites.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use http_body_util::Full;

/// A response before its headers are written.
pub(super) struct PageResponse {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    /// The `form-action` of the page's content security policy.
    form_targets: String,
    location: Option<String>,
    cookie: Option<HeaderValue>,
}

impl PageResponse {
    /// A page.
    pub(super) fn page(status: StatusCode, html: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", html.into())
    }

    /// A document that is not an HTML page.
    pub(super) fn file(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, content_type, body.into())
    }

    /// 303: the browser follows with GET (RFC 9110, 15.4.4).
    pub(super) fn redirect(location: String) -> Self {
        let response = Self::new(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
        Self { location: Some(location), ..response }
    }

    fn new(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let form_targets = "'none'".to_owned();
        Self { status, content_type, body, form_targets, location: None, cookie: None }
    }

    /// Allows a form whose response redirects to these origins. Browsers apply `form-action` to redirects, too.
    pub(super) fn with_form<'a>(self, origins: impl IntoIterator<Item = &'a str>) -> Self {
        let targets: String = origins.into_iter().map(|origin| format!(" {origin}")).collect();
        Self { form_targets: format!("'self'{targets}"), ..self }
    }

    pub(super) fn with_cookie(self, cookie: Option<HeaderValue>) -> Self {
        Self { cookie, ..self }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action {}; frame-ancestors 'none'; base-uri 'none'",
            self.form_targets
        );
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let fixed = [
            (CONTENT_TYPE, self.content_type),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("x-frame-options"), "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        let written = [(CONTENT_SECURITY_POLICY, Some(policy)), (LOCATION, self.location)];
        for (name, value) in written {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        headers.extend(self.cookie.map(|cookie| (SET_COOKIE, cookie)));
        response
    }
}
