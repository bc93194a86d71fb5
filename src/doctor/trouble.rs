//! Why a request to an endpoint failed, and what to do.

use http::StatusCode;

use super::findings::Finding;
use super::permissions::Grantee;
use crate::proxy::{Cause, Trouble};
use glassine_core::catalogue::permissions::is_for_mailboxes;
use glassine_core::rules::known::any_opens;
use glassine_core::rules::plan::Endpoint;

/// The facts that explain why Graph denies a request.
pub(super) struct Denied<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// The permissions in the token. `None` if the token cannot be read.
    pub(super) roles: Option<&'a [String]>,
    pub(super) grantee: &'a Grantee,
    /// How many objects refused; `None` if the operator named the one.
    pub(super) tried: Option<usize>,
}

const LATER: &str = "wait some minutes and run the doctor again";
pub(super) const NETWORK: &str = "see the network section; `upstream.timeouts` says how long the proxy waits";

pub(super) fn advice(check: &str, trouble: &Trouble, denied: &Denied<'_>) -> Finding {
    let message = trouble.to_string();
    match trouble.cause() {
        Cause::Graph { status, code } => graph(check, status, code, denied),
        Cause::Refused => Finding::warn(
            check,
            message,
            "send a request to this endpoint by hand: `glassine explain` says what it accepts",
        ),
        Cause::Token => Finding::fail(check, message, "see the token section"),
        Cause::Upstream => Finding::fail(check, message, NETWORK),
        Cause::Response => Finding::fail(
            check,
            message,
            "the proxy blocks the whole response: check whether a device in between rewrites Graph's responses; if none does, report a bug",
        ),
    }
}

fn graph(check: &str, status: StatusCode, code: Option<&str>, denied: &Denied<'_>) -> Finding {
    let message = match code {
        Some(code) => format!("{} {code}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    match status {
        StatusCode::UNAUTHORIZED => Finding::fail(
            check,
            message,
            "Graph refuses the token: compare `upstream.graph` with the cloud of `upstream.authority`, and see the clock section",
        ),
        StatusCode::FORBIDDEN if denied.is_excluded() => Finding::warn(check, message, denied.advice()),
        StatusCode::FORBIDDEN => Finding::fail(check, message, denied.advice()),
        StatusCode::NOT_FOUND => Finding::warn(
            check,
            message,
            "none of the tried accounts has this object: name a mailbox with `--mailbox-in ADDRESS`",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            Finding::warn(check, message, format!("Graph throttles this application: {LATER}"))
        }
        status if status.is_server_error() => Finding::fail(
            check,
            message,
            format!("Graph itself is failing: {LATER}; see https://status.cloud.microsoft"),
        ),
        _ => Finding::fail(
            check,
            message,
            "Graph refuses a request that these rules allow: compare the endpoint with Graph's reference",
        ),
    }
}

impl Denied<'_> {
    /// Whether the token shows a permission that opens the endpoint.
    pub(super) fn is_granted(&self) -> bool {
        let roles = self.roles.into_iter().flatten().map(String::as_str);
        any_opens(roles, self.endpoint) == Some(true)
    }

    /// Whether Exchange excludes the accounts that the doctor happened to try, and the set-up may be right: the permission is
    /// granted, and the operator named no mailbox that has to open.
    fn is_excluded(&self) -> bool {
        let is_in_mailbox = self.endpoint.least_permission().is_some_and(is_for_mailboxes);
        is_in_mailbox && self.is_granted() && self.tried.is_some()
    }

    /// Either the permission is missing, or Exchange keeps the application out of the mailbox.
    fn advice(&self) -> String {
        let Some(least) = self.endpoint.least_permission() else {
            return "grant the permission that Graph's reference names for this endpoint".to_owned();
        };
        match (self.is_granted(), is_for_mailboxes(least)) {
            (true, true) => format!(
                "{least} is granted, so Exchange keeps the application out of {mailboxes}: \
                 `Test-ApplicationAccessPolicy -AppId {id} -Identity MAILBOX`, \
                 `Test-ServicePrincipalAuthorization -Identity {id} -Resource MAILBOX`\n\
                 if this is intended, name a mailbox that it may open: `--mailbox-in ADDRESS`",
                mailboxes = self.mailboxes(),
                id = self.grantee.client_id()
            ),
            (true, false) => format!("{least} is granted; a new consent takes some minutes: {LATER}"),
            (false, true) => {
                format!("{}\nand name a mailbox in SCOPE: `--mailbox-in ADDRESS`", self.grantee.grant(least))
            }
            (false, false) => self.grantee.grant(least),
        }
    }

    fn mailboxes(&self) -> String {
        match self.tried {
            None => "this mailbox".to_owned(),
            Some(1) => "the only account that could be tried".to_owned(),
            Some(tried) => format!("each of the {tried} accounts that were tried"),
        }
    }
}
