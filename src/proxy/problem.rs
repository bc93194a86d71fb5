//! Every way a request can fail, and its response: the table in [`Problem::row`]. The response has fixed text, the log
//! has the cause. Neither contains anything of a request or of Graph's response.

use std::borrow::Cow;

use http::StatusCode;
use http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;

use super::account::Account;
use super::graph_error::GraphError;
use super::host::HostError;
use super::limits::MAX_RESPONSE;
use super::pipeline::Broken;
use super::raw_response::CleanHeader;
use super::response::ProxyResponse;
use crate::audit::{Outcome, Unavailable};
use crate::jwt::JwtError;
use crate::metrics::Limited;
use crate::upstream::{Closed, ServerError, TokenError, UpstreamError};
use glassine_core::admit::Refusal;
use glassine_core::catalogue::meaning;
use glassine_core::graph::ErrorBody;
use glassine_core::graph::batch::{BatchError, MAX_ENVELOPE};
use glassine_core::sanitize::{Failure, Violation};

/// Graph's statuses that mean the same to the consumer as to this proxy, so the consumer gets them unchanged.
const PASSED_ON: &[u16] = &[400, 404, 409, 410, 429, 500, 503, 504, 509];

/// `Retry-After` of a request that got no turn at Graph, in seconds. It has waited, so others did too: a third of the time that
/// it waited lets some of them pass before it comes again.
const RETRY_TURN_SECONDS: u32 = 5;

/// `Retry-After` while this proxy lacks a token, keys or its audit log, in seconds.
const RETRY_TOKEN_SECONDS: HeaderValue = HeaderValue::from_static("30");

const READS: HeaderValue = HeaderValue::from_static("GET, HEAD");

const TIMEOUT: &str = "Microsoft Graph did not respond in time.";

const LINK_TOO_LONG: &str = "Microsoft Graph's link to the next page or to later changes is too long to be passed on. \
    Ask for less at once: use a smaller $top or odata.maxpagesize, or a shorter $filter.";

const NOT_JSON: &str = "Microsoft Graph's response is in a form that this proxy does not pass on.";

/// Why a consumer gets no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// No consumer has the request's credentials.
    #[error(transparent)]
    Unauthenticated(#[from] Unknown),
    /// The proxy cannot get the issuer's keys, so it cannot tell whether the token is good.
    #[error("the keys of the issuer of a consumer's token cannot be fetched")]
    ConsumerKeys,
    /// A trusted proxy sent an `X-Forwarded-For` that is not a list of addresses.
    #[error("X-Forwarded-For is not a list of addresses")]
    ForwardedFor,
    /// The consumer's own token for Graph is missing, or Graph rejects it.
    #[error("the consumer's own token for Graph is missing or not accepted by Graph")]
    GraphToken(Unknown),
    /// The consumer may not send requests from this address.
    #[error("the consumer may not ask from this address")]
    Address,
    /// HTTP/1.0 or older.
    #[error("the request is in HTTP/1.0")]
    Version,
    /// The request is not for this proxy.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A request other than a batch has a body.
    #[error("the request has a body")]
    RequestBody,
    /// The body breaks HTTP's framing, or ends before it is whole.
    #[error("the request's body is malformed")]
    MalformedBody,
    /// A batch's envelope is too long.
    #[error("the batch is too long")]
    EnvelopeTooLarge,
    /// A batch's envelope does not arrive in time.
    #[error("the batch did not arrive in time")]
    EnvelopeTimeout,
    /// A batch's envelope is invalid.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// In a batch, a response is too long to be held until it is whole.
    #[error("a response in a batch is longer than {MAX_RESPONSE} bytes")]
    ItemTooLarge,
    /// In a batch, a request that this one depends on failed.
    #[error("a request that this one depends on failed")]
    Dependency,
    /// The consumer is over its limits.
    #[error("the consumer is over its limits")]
    TooManyRequests {
        /// Seconds until the request would get its turn, if the consumer sent nothing else.
        retry_after: u32,
    },
    /// As many requests as may be are at Graph already, and this one waited too long for its turn.
    #[error("the request got no turn at Graph")]
    Busy {
        /// What it waited for.
        closed: Closed,
        /// Seconds.
        retry_after: u32,
    },
    /// The rules refuse the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The audit log cannot be written.
    #[error("the audit log cannot be written, so nothing is served")]
    AuditFailing,
    /// The proxy got no access token for Graph.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Graph did not respond.
    #[error(transparent)]
    Upstream(#[from] ServerError),
    /// Graph responded with an error status.
    #[error("Graph responded with status {}", .0.status)]
    Graph(GraphError),
    /// Graph's response has another media type than the endpoint's.
    #[error("Graph's response has another media type than the endpoint, or another charset than UTF-8")]
    ContentType,
    /// Graph's response has a content coding that the proxy did not ask for.
    #[error("Graph's response has a content coding that was not asked for")]
    ContentEncoding,
    /// Graph's body broke before the response's head went out.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Why no consumer was identified. The client learns only whether it sent a token.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the credentials belong to two consumers")]
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

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Self::AuditFailing
    }
}

impl From<GraphError> for Problem {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl Unknown {
    /// `WWW-Authenticate` (RFC 6750, section 3). It has no error code if the client sent no token, and never a detail.
    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Jwt(_) | Self::Token => "Bearer realm=\"glassine\", error=\"invalid_token\"",
            Self::Ambiguous | Self::NoCredential => "Bearer realm=\"glassine\"",
        })
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Jwt(error) => error.code(),
            Self::Ambiguous => "ambiguous_credential",
            Self::NoCredential | Self::Token => "unauthenticated",
        }
    }
}

impl Problem {
    /// The consumer is over its limits, and nobody knows for how long: other responses of it have to end first.
    pub(super) const UNKNOWN_WAIT: Self = Self::TooManyRequests { retry_after: 1 };

    /// The request got no turn at Graph.
    pub(super) fn busy(closed: Closed) -> Self {
        Self::Busy { closed, retry_after: RETRY_TURN_SECONDS }
    }

    /// The response, in the shape of Graph's errors. Sets the account's reason.
    pub(super) fn respond(self, client_request_id: Option<&str>, account: &mut Account) -> ProxyResponse {
        let row = self.row();
        self.log(account, &row);
        account.set_reason(row.reason);
        if matches!(self, Self::TooManyRequests { .. }) {
            account.limited(Limited::Refused);
        }
        let id = account.request_id().to_string();
        let date = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let body = ErrorBody {
            code: row.code,
            message: &row.message,
            date: &date,
            request_id: &id,
            client_request_id: client_request_id.unwrap_or(&id),
        };
        ProxyResponse::error(row.status, row.headers.to_vec(), body.into())
            .with(row.header)
            .ending(row.outcome)
    }

    /// The table: status, code, audit reason and message of each problem.
    #[rustfmt::skip]
    fn row(&self) -> Row<'_> {
        match self {
            Self::Unauthenticated(unknown) => Row::refused(401, "InvalidAuthenticationToken", unknown.reason(),
                "Access token is missing or not known to this proxy.").with(WWW_AUTHENTICATE, unknown.challenge()),
            Self::ConsumerKeys => Row::refused(503, "identityUnavailable", "no_consumer_keys",
                "The proxy cannot get the keys that this consumer's token is verified with. Its log says why.")
                .with(RETRY_AFTER, RETRY_TOKEN_SECONDS),
            Self::ForwardedFor => Row::refused(400, "invalidForwardedFor", "forwarded_for",
                "The X-Forwarded-For field has to be a list of addresses."),
            Self::GraphToken(unknown) => Row::refused(401, "InvalidAuthenticationToken", "graph_token",
                "The token for Microsoft Graph in Authorization is missing or not accepted.")
                .with(WWW_AUTHENTICATE, unknown.challenge()),
            Self::Address => Row::refused(403, "addressNotAllowed", "address_not_allowed",
                "This consumer may not ask from this address."),
            Self::Version => Row::refused(505, "httpVersionNotSupported", "http_version",
                "The request has to be in HTTP/1.1 or HTTP/2."),
            Self::Host(HostError::TargetForm) => Row::refused(400, "targetForm", "target_form",
                "The request target has to be a path, or a URL of this proxy."),
            Self::Host(HostError::Invalid) => Row::refused(400, "invalidHost", "invalid_host",
                "The request needs exactly one valid Host field."),
            Self::Host(HostError::Two) => Row::refused(400, "twoHosts", "two_hosts",
                "The Host field and :authority have to name the same host."),
            Self::Host(HostError::Foreign) => Row::refused(421, "foreignHost", "foreign_host",
                "The Host field, and the host of a URL as target, have to name this proxy."),
            Self::RequestBody => Row::refused(413, "bodyNotAllowed", "request_body",
                "A request must not have a body."),
            Self::MalformedBody => Row::refused(400, "malformedBody", "malformed_body",
                "The request's body is malformed, or ends before it is whole."),
            Self::EnvelopeTooLarge => Row::refused(413, "batchTooLarge", "batch_too_large",
                format!("A batch can have {} KiB at most.", MAX_ENVELOPE / 1024)),
            Self::EnvelopeTimeout => Row::refused(408, "batchTimeout", "batch_timeout",
                "The batch did not arrive in time."),
            Self::Batch(error) => Row::refused(400, error.code(), error.code(),
                format!("The batch is not acceptable: {error}.")),
            Self::ItemTooLarge => Row::refused(413, "batchResponseTooLarge", "batch_response_too_large",
                format!("In a batch, a response can have {} MiB at most. Send this request alone, or with a smaller $top.",
                    MAX_RESPONSE / 1024 / 1024)),
            Self::Dependency => Row::refused(424, "FailedDependency", "failed_dependency",
                "A request that this one depends on failed."),
            Self::TooManyRequests { retry_after } => Row::refused(429, "TooManyRequests", "too_many_requests",
                "This consumer is over its limits. Wait for the time in Retry-After.")
                .with(RETRY_AFTER, (*retry_after).into()),
            Self::Busy { closed: Closed::Mailbox | Closed::Paused, retry_after } => Row::refused(429, "mailboxBusy", "mailbox_busy",
                "Microsoft Graph takes four requests at a time in one mailbox, and too many wait for this one. \
                 Wait for the time in Retry-After, and send fewer requests at once for one mailbox.")
                .with(RETRY_AFTER, (*retry_after).into()),
            Self::Busy { closed: Closed::Application, retry_after } => Row::refused(429, "applicationBusy", "application_busy",
                "Too many requests wait for Microsoft Graph. Wait for the time in Retry-After, and send fewer requests at once.")
                .with(RETRY_AFTER, (*retry_after).into()),
            Self::Refused(refusal @ Refusal::Method) => refused_by_rules(refusal).with(ALLOW, READS),
            Self::Refused(refusal) => refused_by_rules(refusal),
            Self::AuditFailing => Row::refused(503, "auditUnavailable", "audit_failing",
                "The proxy cannot keep its audit log, so it serves nothing.").with(RETRY_AFTER, RETRY_TOKEN_SECONDS),
            Self::Token(_) => Row::failed(503, "upstreamUnauthorized", "no_access_token",
                "The proxy has no access token for Microsoft Graph. Its log says why.")
                .with(RETRY_AFTER, RETRY_TOKEN_SECONDS),
            Self::Upstream(ServerError { error: UpstreamError::Timeout(_), .. }) => Row::failed(504, "upstreamTimeout", "upstream_failed", TIMEOUT),
            Self::Upstream(_) => Row::failed(502, "upstreamFailed", "upstream_failed",
                "The request to Microsoft Graph failed."),
            Self::Graph(error) => error_of_graph(error),
            Self::ContentType => Row::failed(502, "upstreamNotJson", "upstream_content_type", NOT_JSON),
            Self::ContentEncoding => Row::failed(502, "upstreamNotJson", "upstream_content_encoding", NOT_JSON),
            Self::Broken(Broken::Upstream(UpstreamError::Timeout(_))) =>
                Row::failed(504, "upstreamTimeout", "upstream_malformed", TIMEOUT),
            Self::Broken(Broken::Document(Failure::Violation(Violation::LinkTooLong))) =>
                Row::failed(502, "linkTooLong", "link_too_long", LINK_TOO_LONG),
            Self::Broken(_) => Row::failed(502, "upstreamMalformed", "upstream_malformed",
                "Microsoft Graph's response could not be sanitized, so nothing of it leaves."),
        }
    }

    /// Refusals are in the audit. Failures that an operator has to mend are warnings in the log too.
    fn log(&self, account: &Account, row: &Row<'_>) {
        if let Self::Graph(error) = self {
            return error.log(account);
        }
        let (request_id, trace_id, endpoint) = (account.request_id(), account.trace_id(), account.endpoint());
        let (status, reason) = (row.status.as_u16(), row.reason);
        if matches!(self, Self::Address) {
            // Perhaps somebody has stolen the credential, so the operator has to hear of it.
            let consumer = account.consumer();
            tracing::warn!(%request_id, %trace_id, consumer, status, reason, "a consumer's credential came from an address that is not the consumer's");
        } else if status >= 500 {
            tracing::warn!(%request_id, %trace_id, endpoint, status, error = %self, "a request failed");
        } else {
            tracing::debug!(%request_id, %trace_id, endpoint, status, reason, error = %self, "a request got no document");
        }
    }
}

/// A problem's response and audit reason.
struct Row<'a> {
    status: StatusCode,
    /// For the consumer's program.
    code: &'a str,
    /// For the audit.
    reason: &'static str,
    /// For the people who run the consumer.
    message: Cow<'static, str>,
    outcome: Outcome,
    /// A header that this proxy adds.
    header: Option<(HeaderName, HeaderValue)>,
    /// Graph's headers that may leave.
    headers: &'a [CleanHeader],
}

impl<'a> Row<'a> {
    /// A refusal of this proxy.
    fn refused(
        status: u16,
        code: &'a str,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            // All numbers in the table are statuses.
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            reason,
            message: message.into(),
            outcome: Outcome::Refused,
            header: None,
            headers: &[],
        }
    }

    /// A failure between this proxy and Graph.
    fn failed(status: u16, code: &'a str, reason: &'static str, message: &'static str) -> Self {
        Self { outcome: Outcome::UpstreamFailed, ..Self::refused(status, code, reason, message) }
    }

    /// An error of Graph that the consumer gets with Graph's status.
    fn passed_on(status: u16, code: &'a str, message: &'static str) -> Self {
        Self { outcome: Outcome::Complete, ..Self::refused(status, code, UPSTREAM_STATUS, message) }
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

fn refused_by_rules(refusal: &Refusal) -> Row<'_> {
    Row::refused(refusal.status(), refusal.code(), refusal.code(), refusal.to_string())
}

/// The audit's reason for every error of Graph.
const UPSTREAM_STATUS: &str = "upstream_status";

/// An error of Graph. The code is a plain identifier. The status is passed on if it concerns the consumer's request; a
/// 401 concerns the proxy's token.
fn error_of_graph(error: &GraphError) -> Row<'_> {
    let GraphError { status, code, headers, .. } = error;
    let code_or = |fallback: &'static str| code.as_ref().map_or(fallback, |code| code.get());
    let row = match status.as_u16() {
        // Graph's code for a bad token would tell the consumer that its own token is bad.
        401 => Row::failed(
            502,
            "upstreamUnauthorized",
            UPSTREAM_STATUS,
            "Microsoft Graph did not accept the proxy's access token.",
        ),
        403 => Row::passed_on(
            403,
            code_or("upstreamForbidden"),
            "Microsoft Graph does not let the proxy read this.",
        ),
        status if PASSED_ON.contains(&status) => {
            let meaning = code.as_ref().and_then(|code| meaning(code.get()));
            let message = meaning.unwrap_or("Microsoft Graph responded with an error.");
            Row::passed_on(status, code_or("upstreamError"), message)
        }
        _ => Row::failed(
            502,
            code_or("upstreamError"),
            UPSTREAM_STATUS,
            "Microsoft Graph responded with a status that this proxy does not pass on.",
        ),
    };
    Row { headers, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassine_core::graph::Origin;

    fn header(problem: &Problem) -> (u16, Option<String>) {
        let row = problem.row();
        (row.status.as_u16(), row.header.map(|(name, _)| name.to_string()))
    }

    #[test]
    fn statuses_come_with_the_headers_that_rfc_9110_requires() {
        let header_of = |status| match status {
            401 => Some("www-authenticate".to_owned()),
            405 => Some("allow".to_owned()),
            429 | 503 => Some("retry-after".to_owned()),
            _ => None,
        };
        for problem in [
            Problem::Unauthenticated(Unknown::NoCredential),
            Problem::ConsumerKeys,
            Problem::GraphToken(Unknown::Token),
            Problem::Address,
            Problem::RequestBody,
            Problem::Batch(BatchError::Form),
            Problem::UNKNOWN_WAIT,
            Problem::busy(Closed::Mailbox),
            Problem::busy(Closed::Application),
            Problem::Refused(Refusal::Method),
            Problem::Refused(Refusal::NotFound),
            Problem::AuditFailing,
            Problem::Token(TokenError::Interrupted),
            Problem::Upstream(ServerError {
                origin: Origin::parse("https://graph.microsoft.com").unwrap(),
                error: UpstreamError::Reset,
            }),
            Problem::Broken(Broken::TooLong),
        ] {
            let (status, header) = header(&problem);
            assert_eq!(header, header_of(status), "{problem:?}");
        }
    }
}
