//! An error of Graph: what of it may leave, and the line about it in the log.
//!
//! Each kind of error has an event of its own, so that a limit on lines of one kind hides no other kind.

use std::time::Duration;

use http::StatusCode;

use super::account::Account;
use super::raw_response::CleanHeader;
use crate::upstream::Lane;
use glassine_core::sanitize::Clean;

/// Graph's statuses that may be over soon. All of them can have a `Retry-After`.
const PASSING: [u16; 3] = [429, 503, 504];

/// Codes with which Graph and what is behind it throttle, whatever the status.
const THROTTLING: [&str; 7] = [
    "ApplicationThrottled",
    "Request_ThrottledPermanently",
    "Request_ThrottledTemporarily",
    "TooManyRequests",
    "activityLimitReached",
    "throttledRequest",
    "tooManyRequests",
];

const MAILBOX: &str = "Exchange limits each application in each mailbox: other programs use the same application, or the \
                       mailbox's quota of 10 minutes is used up. See Throttling in docs/OPERATIONS.md";
const DIRECTORY: &str = "the application's quota is used up: lower requests_per_second of its consumers, or give them \
                         applications of their own. See Throttling in docs/OPERATIONS.md";
const FORBIDDEN: &str = "if every request of this endpoint gets it, the consent was revoked or is missing: run glassine doctor, \
                         see docs/ENTRA.md. If only some do, a policy of Exchange excludes their mailboxes";
const UNAUTHORIZED: &str = "with forward: true, the consumer has to renew its token; otherwise run glassine doctor, see docs/ENTRA.md";
const FAILED: &str = "Microsoft Graph has a problem: see the service health of Microsoft 365";

/// What Exchange calls a token without any permission, with 401, although the token is good
/// (<https://github.com/O365/python-o365/issues/777>).
pub(super) const NO_PERMISSIONS: &str = "NoPermissionsInAccessToken";

/// An error of Graph.
#[derive(Debug)]
pub(super) struct GraphError {
    /// Its status. 403 for [`NO_PERMISSIONS`], as for every other permission that is missing: another token would not help.
    pub(super) status: StatusCode,
    /// Its code, if it is one that this program knows.
    pub(super) code: Option<Clean<&'static str>>,
    pub(super) headers: Vec<CleanHeader>,
    /// How long Graph asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// Whether the request is repeated, and why not. Set where Graph asked to wait.
    pub(super) fate: Option<Fate>,
    pub(super) in_mailbox: bool,
}

/// What is done about a response that asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The request is sent once more.
    Repeated,
    /// It was sent once more already.
    Again,
    /// The wait is too long: the consumer decides.
    Long,
    /// The wait, or the one for a turn, would end after the request's time is over.
    Late,
    /// Too many requests are repeated already.
    Budget,
}

impl Fate {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::Again => "refused_again",
            Self::Long => "long_wait",
            Self::Late => "no_time",
            Self::Budget => "no_budget",
        }
    }
}

impl GraphError {
    /// Whether the same request may succeed after the time in `Retry-After`.
    pub(super) fn may_pass(status: StatusCode) -> bool {
        PASSING.contains(&status.as_u16())
    }

    pub(super) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Whether the application sends too much.
    pub(super) fn throttles(&self) -> bool {
        let by_code = self.code.as_ref().is_some_and(|code| THROTTLING.contains(code.get()));
        by_code || matches!(self.status.as_u16(), 429 | 509)
    }

    /// Whether it is about a mailbox.
    pub(super) fn in_lane(lane: &Lane) -> bool {
        matches!(lane, Lane::Mailbox(_))
    }

    /// Writes the line about it. What an operator can mend is a warning; that an object does not exist is none.
    pub(super) fn log(&self, account: &Account) {
        let (request_id, endpoint, consumer) = (account.request_id(), account.endpoint(), account.consumer());
        let (status, trace_id) = (self.status.as_u16(), account.trace_id());
        let code = self.code.as_ref().map_or("none", |code| code.get());
        let retry_after = self.retry_after.map(|wait| wait.as_secs_f64());
        let reason = self.fate.map(Fate::as_str);
        match status {
            _ if self.throttles() => {
                let hint = if self.in_mailbox { MAILBOX } else { DIRECTORY };
                tracing::warn!(
                    %request_id, %trace_id, consumer, endpoint, status, code, retry_after, reason, hint,
                    "Microsoft Graph throttles the application"
                );
            }
            401 => tracing::warn!(
                %request_id, %trace_id, consumer, endpoint, status, code, hint = UNAUTHORIZED,
                "Microsoft Graph does not accept an access token"
            ),
            403 => tracing::warn!(
                %request_id, %trace_id, consumer, endpoint, status, code, hint = FORBIDDEN,
                "Microsoft Graph forbids a request"
            ),
            500.. => tracing::warn!(
                %request_id, %trace_id, consumer, endpoint, status, code, retry_after, reason, hint = FAILED,
                "Microsoft Graph failed"
            ),
            _ => tracing::debug!(
                %request_id, %trace_id, consumer, endpoint, status, code,
                "Microsoft Graph responded with an error"
            ),
        }
    }
}
