//! Every way a request can fail, and the one place that makes a response of it. What the consumer is told is fixed text;
//! what the operator is told goes to the log. Neither holds anything of a request or of Graph's response.

use http::StatusCode;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;

use super::account::Account;
use super::pipeline::Broken;
use super::raw_response::CleanHeader;
use super::response::ProxyResponse;
use crate::audit::Outcome;
use crate::jwt::JwtError;
use crate::upstream::{TokenError, UpstreamError};
use glassine_core::admit::Refusal;
use glassine_core::graph::ErrorBody;
use glassine_core::graph::batch::{BatchError, MAX_ENVELOPE};
use glassine_core::sanitize::{Clean, Violation};

/// Statuses of Graph that mean the same to the consumer as to this proxy.
const PASSED_ON: &[u16] = &[400, 404, 409, 410, 429, 500, 503, 504, 509];

/// How long a consumer over its limits waits, in seconds. The bucket holds one second's worth.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// How long a consumer waits for this proxy's own access token, in seconds.
const RETRY_TOKEN_SECONDS: HeaderValue = HeaderValue::from_static("30");

/// Why a request got no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// Nobody is known by what the request shows.
    #[error(transparent)]
    Unauthenticated(#[from] Unknown),
    /// The keys of an issuer of consumers' tokens cannot be had, so the token may be good.
    #[error("the keys of the issuer of a consumer's token cannot be had")]
    ConsumerKeys,
    /// A trusted proxy sent an `X-Forwarded-For` that is no list of addresses.
    #[error("X-Forwarded-For is no list of addresses")]
    ForwardedFor,
    /// The consumer's own token for Graph is missing, or Graph does not take it.
    #[error("the consumer's own token for Graph is missing or not accepted by Graph")]
    GraphToken(Unknown),
    /// The consumer may not ask from this address.
    #[error("the consumer may not ask from this address")]
    Address,
    /// HTTP/1.0 or older.
    #[error("the request is in HTTP/1.0")]
    Version,
    /// A target with an authority, as for a forward proxy.
    #[error("the target is in absolute-form")]
    AbsoluteForm,
    /// No `Host`, more than one, or one that is none (RFC 9112, 3.2).
    #[error("the request does not have one valid host")]
    InvalidHost,
    /// A `Host` that is not this proxy's.
    #[error("the host is not this proxy's")]
    ForeignHost,
    /// A request that carries a body.
    #[error("the request has a body")]
    RequestBody,
    /// A body that is not framed as HTTP says, or that ends before it is whole.
    #[error("the request's body is malformed")]
    MalformedBody,
    /// A batch's envelope that is too long.
    #[error("the batch is too long")]
    EnvelopeTooLarge,
    /// A batch's envelope that does not arrive.
    #[error("the batch did not arrive in time")]
    EnvelopeTimeout,
    /// A batch's envelope that is none.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A request of a batch whose dependency failed.
    #[error("a request that this one depends on failed")]
    Dependency,
    /// Over the consumer's limits.
    #[error("the consumer is over its limits")]
    TooManyRequests,
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The audit log cannot be written.
    #[error("the audit log cannot be written, so nothing is served")]
    AuditFailing,
    /// No access token for Graph.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No response from Graph.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// Graph answered with another status than 200.
    #[error("Graph answered with status {status}")]
    Graph { status: StatusCode, code: Option<Clean<String>>, headers: Vec<CleanHeader> },
    /// Another media type than the endpoint's.
    #[error("Graph answered with another media type than the endpoint has, or another charset than UTF-8")]
    ContentType,
    /// A content coding that was not asked for.
    #[error("Graph answered with a content coding that was not asked for")]
    ContentEncoding,
    /// The response's body, before anything of it went out.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Why nobody is known. The sender learns only whether it sent a token.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the credentials are those of two consumers")]
    Ambiguous,
    #[error("a consumer's token is not accepted: {0}")]
    Jwt(JwtError),
    #[error("there is no credential")]
    NoCredential,
    #[error("no consumer has this token")]
    Token,
}

impl From<Violation> for Problem {
    fn from(violation: Violation) -> Self {
        Self::Broken(violation.into())
    }
}

impl Unknown {
    /// RFC 6750, section 3: without an error where no token was sent, and without a detail in any case.
    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Jwt(_) | Self::Token => "Bearer realm=\"glassine\", error=\"invalid_token\"",
            Self::Ambiguous | Self::NoCredential => "Bearer realm=\"glassine\"",
        })
    }
}

/// What a consumer is told.
struct ErrorText {
    status: StatusCode,
    code: String,
    message: String,
}

impl Problem {
    /// The response, in Graph's shape; the account knows why.
    pub(super) fn respond(self, client_request_id: Option<&str>, account: &mut Account) -> ProxyResponse {
        let told = self.told();
        self.log(account, told.status);
        account.set_reason(self.reason());
        let id = account.request_id().to_string();
        let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body = ErrorBody {
            code: &told.code,
            message: &told.message,
            date: &date,
            request_id: &id,
            client_request_id: client_request_id.unwrap_or(&id),
        };
        ProxyResponse::error(told.status, self.headers(), body.into())
            .with(self.extra_header())
            .ending(self.outcome())
    }

    fn told(&self) -> ErrorText {
        let (status, code, message) = match self {
            Self::Unauthenticated(_) => {
                (401, "InvalidAuthenticationToken", "Access token is missing or not known to this proxy.")
            }
            Self::GraphToken(_) => (
                401,
                "InvalidAuthenticationToken",
                "The token for Microsoft Graph in Authorization is missing or not accepted.",
            ),
            Self::ConsumerKeys => (
                503,
                "identityUnavailable",
                "The proxy cannot get the keys that this consumer's token is verified with. Its log says why.",
            ),
            Self::ForwardedFor => {
                (400, "invalidForwardedFor", "The X-Forwarded-For field has to be a list of addresses.")
            }
            Self::Address => (403, "addressNotAllowed", "This consumer may not ask from this address."),
            Self::Version => (505, "httpVersionNotSupported", "The request has to be in HTTP/1.1 or HTTP/2."),
            Self::InvalidHost => (400, "invalidHost", "The request needs exactly one valid Host field."),
            Self::AbsoluteForm => (400, "absoluteForm", "The request target has to be a path, not a URL."),
            Self::ForeignHost => (421, "foreignHost", "The Host field has to name this proxy."),
            Self::RequestBody => (413, "bodyNotAllowed", "A request must not have a body."),
            Self::MalformedBody => {
                (400, "malformedBody", "The request's body is malformed, or ends before it is whole.")
            }
            Self::EnvelopeTooLarge => {
                let message = format!("A batch can have {} KiB at most.", MAX_ENVELOPE / 1024);
                return ErrorText { status: self::status(413), code: "batchTooLarge".to_owned(), message };
            }
            Self::EnvelopeTimeout => (408, "batchTimeout", "The batch did not arrive in time."),
            Self::Batch(error) => {
                let message = format!("The batch is not acceptable: {error}.");
                return ErrorText { status: self::status(400), code: error.code().to_owned(), message };
            }
            Self::Dependency => (424, "FailedDependency", "A request that this one depends on failed."),
            Self::TooManyRequests => {
                (429, "TooManyRequests", "This consumer is over its limits. Wait as Retry-After says.")
            }
            Self::Refused(refusal) => {
                return ErrorText {
                    status: status(refusal.status()),
                    code: refusal.code().to_owned(),
                    message: refusal.to_string(),
                };
            }
            Self::AuditFailing => {
                (503, "auditUnavailable", "The proxy cannot keep its audit log, so it serves nothing.")
            }
            Self::Token(_) => (
                503,
                "upstreamUnauthorized",
                "The proxy has no access token for Microsoft Graph. Its log says why.",
            ),
            Self::Upstream(UpstreamError::Timeout(_)) => {
                (504, "upstreamTimeout", "Microsoft Graph did not respond in time.")
            }
            Self::Upstream(_) => (502, "upstreamFailed", "Microsoft Graph could not be asked."),
            Self::Graph { status, code, .. } => return told_of_graph(*status, code.as_ref()),
            Self::ContentType | Self::ContentEncoding => (
                502,
                "upstreamNotJson",
                "Microsoft Graph answered in a form that this proxy does not let out.",
            ),
            Self::Broken(Broken::Upstream(UpstreamError::Timeout(_))) => {
                (504, "upstreamTimeout", "Microsoft Graph did not respond in time.")
            }
            Self::Broken(_) => (
                502,
                "upstreamMalformed",
                "Microsoft Graph's response could not be sanitized, so nothing of it leaves.",
            ),
        };
        ErrorText { status: self::status(status), code: code.to_owned(), message: message.to_owned() }
    }

    /// The audit's word for it.
    fn reason(&self) -> &'static str {
        match self {
            Self::Unauthenticated(Unknown::Jwt(error)) => error.code(),
            Self::Unauthenticated(Unknown::Ambiguous) => "ambiguous_credential",
            Self::Unauthenticated(Unknown::NoCredential | Unknown::Token) => "unauthenticated",
            Self::GraphToken(_) => "graph_token",
            Self::ConsumerKeys => "no_consumer_keys",
            Self::ForwardedFor => "forwarded_for",
            Self::Address => "address_not_allowed",
            Self::Version => "http_version",
            Self::InvalidHost => "invalid_host",
            Self::AbsoluteForm => "absolute_form",
            Self::ForeignHost => "foreign_host",
            Self::RequestBody => "request_body",
            Self::MalformedBody => "malformed_body",
            Self::EnvelopeTooLarge => "batch_too_large",
            Self::EnvelopeTimeout => "batch_timeout",
            Self::Batch(error) => error.code(),
            Self::Dependency => "failed_dependency",
            Self::TooManyRequests => "too_many_requests",
            Self::Refused(refusal) => refusal.code(),
            Self::AuditFailing => "audit_failing",
            Self::Token(_) => "no_access_token",
            Self::Upstream(_) => "upstream_failed",
            Self::Graph { .. } => "upstream_status",
            Self::ContentType => "upstream_content_type",
            Self::ContentEncoding => "upstream_content_encoding",
            Self::Broken(_) => "upstream_malformed",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Unauthenticated(_)
            | Self::ConsumerKeys
            | Self::GraphToken(_)
            | Self::ForwardedFor
            | Self::Address
            | Self::Version
            | Self::InvalidHost
            | Self::AbsoluteForm
            | Self::ForeignHost
            | Self::RequestBody
            | Self::MalformedBody
            | Self::EnvelopeTooLarge
            | Self::EnvelopeTimeout
            | Self::Batch(_)
            | Self::Dependency
            | Self::TooManyRequests
            | Self::Refused(_)
            | Self::AuditFailing => Outcome::Refused,
            Self::Graph { status, .. } if is_passed_on(*status) => Outcome::Complete,
            Self::Graph { .. }
            | Self::Token(_)
            | Self::Upstream(_)
            | Self::ContentType
            | Self::ContentEncoding
            | Self::Broken(_) => Outcome::UpstreamFailed,
        }
    }

    fn extra_header(&self) -> Option<(http::HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated(unknown) | Self::GraphToken(unknown) => {
                Some((WWW_AUTHENTICATE, unknown.challenge()))
            }
            Self::Refused(Refusal::Method) => Some((ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Self::TooManyRequests => Some((RETRY_AFTER, RETRY_SECONDS)),
            Self::Token(_) | Self::ConsumerKeys | Self::AuditFailing => {
                Some((RETRY_AFTER, RETRY_TOKEN_SECONDS))
            }
            _ => None,
        }
    }

    fn headers(&self) -> Vec<CleanHeader> {
        match self {
            Self::Graph { headers, .. } => headers.clone(),
            _ => Vec::new(),
        }
    }

    /// Refusals are in the audit. What an operator has to mend is in the log too.
    fn log(&self, account: &Account, status: StatusCode) {
        let (request_id, endpoint) = (account.request_id(), account.endpoint());
        let status = status.as_u16();
        if status >= 500 {
            tracing::warn!(%request_id, endpoint, status, error = %self, "a request failed");
        } else {
            let reason = self.reason();
            tracing::debug!(%request_id, endpoint, status, reason, error = %self, "a request got no document");
        }
    }
}

/// Whether the consumer gets this status of Graph as it is.
fn is_passed_on(status: StatusCode) -> bool {
    status == StatusCode::FORBIDDEN || PASSED_ON.contains(&status.as_u16())
}

/// An error of Graph: its status where it means the consumer, and its code, which is a plain identifier. 401 and 403
/// are between this proxy and Graph.
fn told_of_graph(received: StatusCode, code: Option<&Clean<String>>) -> ErrorText {
    let (status, fallback, message) = match received.as_u16() {
        401 => (502, "upstreamUnauthorized", "Microsoft Graph did not accept the proxy's access token."),
        403 => (403, "upstreamForbidden", "Microsoft Graph does not let the proxy read this."),
        passed if is_passed_on(received) => {
            (passed, "upstreamError", "Microsoft Graph answered with an error.")
        }
        _ => {
            (502, "upstreamError", "Microsoft Graph answered with a status that this proxy does not pass on.")
        }
    };
    // Graph's code for a bad token would tell the consumer that its own is bad.
    let code = code.filter(|_| received != StatusCode::UNAUTHORIZED).map_or(fallback, |code| code.get());
    ErrorText { status: self::status(status), code: code.to_owned(), message: message.to_owned() }
}

/// All numbers above are statuses.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
