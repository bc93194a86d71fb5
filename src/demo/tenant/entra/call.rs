//! One request to the look-alike, and its response.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::refusal::{Refusal, Trace};
use crate::web::{Params, cookies};

/// A page contains its style sheet. There is no `form-action`, because browsers apply it to redirects after a form,
/// too, and the look-alike does not know where an application redirects next.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// A request.
pub(in crate::demo::tenant) struct Call<'a> {
    pub(in crate::demo::tenant) method: &'a Method,
    pub(in crate::demo::tenant) query: &'a str,
    pub(in crate::demo::tenant) headers: &'a HeaderMap,
    /// The body. Empty if it is not a form.
    pub(in crate::demo::tenant) form: &'a str,
    /// The start of the look-alike's addresses: scheme and authority, no slash at the end.
    pub(in crate::demo::tenant) base: &'a str,
    pub(in crate::demo::tenant) request_id: &'a str,
    pub(in crate::demo::tenant) client_request_id: &'a str,
}

/// A response, with all its headers.
pub(in crate::demo::tenant) struct EntraResponse {
    pub(in crate::demo::tenant) status: StatusCode,
    pub(in crate::demo::tenant) headers: HeaderMap,
    pub(in crate::demo::tenant) body: String,
}

/// Parameters of a form or a query, none of them twice.
pub(super) struct Form<'a>(Params<'a>);

impl<'a> Call<'a> {
    /// Refuses other methods.
    pub(super) fn expect(&self, method: &Method, name: &'static str) -> Result<(), Refusal> {
        let received = self.method.to_string();
        if self.method == method { Ok(()) } else { Err(Refusal::Method { expected: name, received }) }
    }

    /// The body's parameters.
    pub(super) fn form(&self) -> Result<Form<'a>, Refusal> {
        Form::parse(self.form)
    }

    /// The parameters of the query or, with POST, of the form (OpenID Connect Core, section 3.1.2.1).
    pub(super) fn parameters(&self) -> Result<Form<'a>, Refusal> {
        if self.method == Method::POST { self.form() } else { Form::parse(self.query) }
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&'a str> {
        cookies(self.headers, name).next()
    }

    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn trace(&self, time: i64) -> Trace {
        Trace {
            trace_id: self.request_id.to_owned(),
            correlation_id: self.client_request_id.to_owned(),
            time,
        }
    }
}

impl<'a> Form<'a> {
    fn parse(text: &'a str) -> Result<Form<'a>, Refusal> {
        Params::parse(text).map(Form).map_err(|_| Refusal::Malformed)
    }

    /// A parameter. An empty one counts as missing.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, Refusal> {
        let value = self.0.get(name).map_err(|_| Refusal::Malformed)?;
        Ok(value.filter(|value| !value.is_empty()))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, Refusal> {
        self.get(name)?.ok_or(Refusal::Missing(name))
    }
}

impl EntraResponse {
    /// A document for programs.
    pub(super) fn json(status: StatusCode, value: &Value) -> EntraResponse {
        EntraResponse::new(status, "application/json; charset=utf-8", value.to_string())
    }

    /// A page for people.
    pub(super) fn page(status: StatusCode, html: String) -> EntraResponse {
        EntraResponse::new(status, "text/html; charset=utf-8", html)
            .with(CONTENT_SECURITY_POLICY, POLICY)
            .with(X_FRAME_OPTIONS, "DENY")
            .with(REFERRER_POLICY, "strict-origin-when-cross-origin")
    }

    /// A redirect.
    pub(super) fn redirect(url: &str) -> EntraResponse {
        EntraResponse::new(StatusCode::FOUND, "text/html; charset=utf-8", String::new()).with(LOCATION, url)
    }

    pub(super) fn with_cookie(self, cookie: &str) -> EntraResponse {
        self.with(SET_COOKIE, cookie)
    }

    fn new(status: StatusCode, content_type: &'static str, body: String) -> EntraResponse {
        EntraResponse { status, headers: HeaderMap::new(), body }
            .with(CONTENT_TYPE, content_type)
            .with(CACHE_CONTROL, "no-store, no-cache")
            .with(PRAGMA, "no-cache")
            .with(X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// Adds a header. Omits a value that is not valid in a header.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> EntraResponse {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}
