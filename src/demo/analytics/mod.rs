//! The sample analytics application: it sends an administrator to the proxy's connection pages, and gets the outcome in
//! a signed result. It does what docs/CONNECT.md asks of a real application, and shows its steps.
//!
//! It accepts a result only if a key that the proxy publishes signed it, the issuer is the proxy, it is for this
//! application and consumer, it has not expired, it was not used before, and its state, if it has one, is this
//! browser's.

mod pages;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::socket;
use crate::jwt::{
    Algorithm, Claims, Expected, FetchTimes, JwtError, KeySource, RequiredClaim, Token, Verifier,
};
use crate::upstream::{ConnectorError, DocumentClient, Network};
use crate::web::{Params, cookies, random_text};
use glassine_core::graph::{Url, UrlError};

/// The cookie with the state that this browser was given.
const COOKIE: &str = "analytics-state";

/// Pages load only the style sheet and have no forms. They lead to the proxy by links.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The application.
pub struct Analytics {
    /// The proxy's public URL.
    proxy: String,
    /// The name of this application in the proxy's configuration.
    consumer: String,
    verifier: Verifier,
    /// The `jti` of each accepted result, and until when it must be remembered.
    seen: Mutex<HashMap<String, i64>>,
}

/// Why the application cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// The proxy's address is malformed.
    #[error("the proxy's key set has no usable address: {0}")]
    Url(#[from] UrlError),
    /// The client for the key set cannot be built.
    #[error("the proxy's key set cannot be fetched: {0}")]
    Client(#[from] ConnectorError),
}

/// Why a result is refused.
#[derive(Debug, thiserror::Error)]
enum Disbelief {
    /// The address has no result.
    #[error("there is no result in the address")]
    Missing,
    /// The result is not from the proxy, not for this application, or expired.
    #[error("{0}")]
    Token(#[from] JwtError),
    /// The result was used before.
    #[error("the result was used before")]
    Replayed,
    /// The result has a state that was not given to this browser.
    #[error("the result belongs to a connection that was begun in another browser")]
    State,
}

/// An accepted result.
struct Believed {
    claims: Claims,
    /// Whether the result has the state that was given to this browser.
    begun_here: bool,
}

impl Analytics {
    /// An application at `origin`, known as `consumer` to the proxy at `proxy` (both without a slash at the end).
    ///
    /// # Errors
    /// [`AnalyticsError`].
    pub fn new(origin: &str, proxy: &str, consumer: &str) -> Result<Self, AnalyticsError> {
        let url = Url::parse(&format!("{proxy}/connect/keys"))?;
        let keys = KeySource::remote(DocumentClient::new(url, &Network::default())?, FetchTimes::default());
        let expected = Expected {
            issuer: proxy.to_owned(),
            audiences: vec![origin.to_owned()],
            algorithms: vec![Algorithm::EdDsa],
            claims: vec![RequiredClaim { name: "consumer".to_owned(), one_of: vec![consumer.to_owned()] }],
        };
        Ok(Self {
            proxy: proxy.to_owned(),
            consumer: consumer.to_owned(),
            verifier: Verifier::new(expected, Arc::new(keys)),
            seen: Mutex::default(),
        })
    }

    /// Serves the application on `listener` until `shutdown` is done. Meant for loopback.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let application = Arc::new(self);
        let respond = move |request: Request<_>| {
            let application = Arc::clone(&application);
            async move { Ok(application.respond(&request).await) }
        };
        socket::serve(listener, None, shutdown, respond).await;
    }

    async fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/") => self.home(),
            (&Method::GET, "/connected") => self.connected(request).await,
            (&Method::GET, "/style.css") => response(StatusCode::OK, "text/css; charset=utf-8", pages::STYLE),
            _ => page(StatusCode::NOT_FOUND, pages::not_found()),
        }
    }

    /// The start page: gives this browser a new state, and a link with the state to the proxy.
    fn home(&self) -> Response<Full<Bytes>> {
        let Ok(state) = random_text::<16>() else {
            return page(StatusCode::INTERNAL_SERVER_ERROR, pages::not_found());
        };
        let mut response = page(StatusCode::OK, pages::home(&self.proxy, &self.consumer, &state));
        set_cookie(&mut response, &format!("{COOKIE}={state}; Path=/; HttpOnly; SameSite=Lax"));
        response
    }

    /// The administrator returns with a result.
    async fn connected<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        match self.believe(request).await {
            Ok(believed) => {
                let mut response = page(StatusCode::OK, pages::result(&self.proxy, &believed));
                // A state is valid for one result.
                set_cookie(&mut response, &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
                response
            }
            Err(why) => page(StatusCode::BAD_REQUEST, pages::refused(&self.proxy, &why)),
        }
    }

    async fn believe<B>(&self, request: &Request<B>) -> Result<Believed, Disbelief> {
        let query = Params::parse(request.uri().query().unwrap_or_default());
        let result = query.and_then(|query| query.get("result")).ok().flatten().ok_or(Disbelief::Missing)?;
        let now = Timestamp::now().as_second();
        let claims = self.verifier.verify(Token::parse(&result)?, now).await?.claims;
        let own = cookies(request.headers(), COOKIE).next();
        let begun_here = self.take(&claims, own, now)?;
        Ok(Believed { claims, begun_here })
    }

    /// Accepts a verified result once, and only in its browser. Returns whether the result has this browser's state.
    fn take(&self, claims: &Claims, own: Option<&str>, now: i64) -> Result<bool, Disbelief> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, until| *until > now);
        let id = claims.text("jti").unwrap_or_default();
        let state = claims.text("state");
        if seen.contains_key(id) {
            return Err(Disbelief::Replayed);
        }
        if state.is_some() && state != own {
            return Err(Disbelief::State);
        }
        seen.insert(id.to_owned(), claims.usable_until());
        Ok(state.is_some())
    }
}

fn page(status: StatusCode, html: String) -> Response<Full<Bytes>> {
    response(status, "text/html; charset=utf-8", html)
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let fields: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        // The address contains the result.
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(fields);
    response
}

fn set_cookie(response: &mut Response<Full<Bytes>>, cookie: &str) {
    response.headers_mut().extend(HeaderValue::from_str(cookie).ok().map(|value| (SET_COOKIE, value)));
}
