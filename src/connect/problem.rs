//! What can go wrong, with the fixed texts that the pages show. No text repeats a query, a cookie or Entra's response.
//!
//! A [`Failure`] ends a flow that this proxy began. The analytics application gets its code. A [`Problem`] is a request
//! that does not belong to a flow of this browser, or that the proxy cannot handle. Only a page of this proxy shows it.

use http::StatusCode;

use super::aadsts::Refused;
use super::check::CheckError;
use super::pages::{Notice, Tone};
use super::signing::SigningError;
use super::store::StoreError;
use super::tenant::TenantError;
use super::ticket::TicketError;
use crate::jwt::JwtError;
use crate::upstream::TokenError;
use crate::web::BadParams;

/// Why a flow that this proxy began ended without a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Entra refused the sign-in.
    #[error("the sign-in was refused")]
    SignIn(Refused),
    /// Entra refused the consent.
    #[error("the consent was refused")]
    Consent(Refused),
    /// The response does not say that the consent was given.
    #[error("the response does not say that the consent was given")]
    ConsentResponse,
    /// The person who signed in, or the consent, belongs to another tenant than the configured one.
    #[error("the person who signed in belongs to another tenant")]
    WrongTenant,
    /// The authorization code was not redeemed.
    #[error("the authorization code was not redeemed: {0}")]
    Code(TokenError),
    /// The id_token cannot be trusted.
    #[error("the id_token cannot be trusted: {0}")]
    IdToken(#[from] JwtError),
    /// The granted permissions cannot be checked.
    #[error("the granted permissions cannot be checked: {0}")]
    Check(CheckError),
}

/// Why the proxy refused a request for a page or a step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("no connection page has this path")]
    NotFound,
    #[error("this page does not allow the method")]
    Method,
    #[error("the host is not this proxy's")]
    Host,
    #[error("`connect.allow_from` does not list the browser's address")]
    Address,
    #[error("the form was sent from another site")]
    CrossSite,
    #[error("the form is too long, too slow or malformed")]
    Form,
    #[error("the parameters are malformed")]
    Params,
    #[error("there are too many requests")]
    TooMany,
    #[error("the audit log cannot be written, so nothing is served")]
    AuditFailing,
    #[error(transparent)]
    Ticket(#[from] TicketError),
    #[error(transparent)]
    Tenant(#[from] TenantError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("a state cannot be written: {0}")]
    ProxyState(#[from] serde_json::Error),
}

impl From<BadParams> for Problem {
    fn from(_: BadParams) -> Self {
        Self::Params
    }
}

impl Failure {
    /// The stable code: in the audit, on the page, and as `error` in the result.
    pub(super) fn code(&self) -> &'static str {
        self.notice().code
    }

    /// The table: code and heading, text, advice. A new variant needs one row.
    #[rustfmt::skip]
    pub(super) fn notice(&self) -> Notice {
        match self {
            Self::SignIn(Refused::Declined) => bad("sign_in_declined", "Not signed in",
                "The sign-in was cancelled. Nothing was changed.",
                "Start again when you are ready."),
            Self::Consent(Refused::Declined) => bad("consent_declined", "Consent was declined",
                "The permissions were not accepted, so nothing was granted.",
                "If you declined because of a permission, ask for the rules file to be changed; otherwise start again."),
            Self::SignIn(refused) | Self::Consent(refused) => refused_by_entra(*refused),
            Self::ConsentResponse => not_made("consent_response"),
            Self::WrongTenant => wrong_tenant(),
            Self::Code(error) if error.is_temporary() => refused_by_entra(Refused::Busy),
            Self::Code(_) => not_made("code_not_redeemed"),
            Self::IdToken(_) => not_made("id_token_invalid"),
            Self::Check(error) if error.is_temporary() => bad("directory_busy", "Granted, but not checked yet",
                "The organisation's directory serves no request of this application now, so the proxy got no access token to check what was granted.",
                "Wait some minutes, and connect again. The proxy uses the permissions as soon as it gets a token."),
            Self::Check(_) => bad("check_failed", "Granted, but not checked",
                "The proxy got no access token to check what was granted.",
                "The operator's log says why, and the command glassine doctor finds most causes."),
        }
    }
}

#[rustfmt::skip]
fn refused_by_entra(refused: Refused) -> Notice {
    match refused {
        Refused::NotAdministrator => bad("not_administrator", "This needs an administrator",
            "The account may not grant permissions for the organisation.",
            "Ask a Global Administrator or Privileged Role Administrator to open this page."),
        Refused::ApprovalPending => bad("approval_pending", "Waiting for an approval",
            "The consent was asked for, and an administrator has to approve it. Nothing was connected yet.",
            "When the request is approved (Entra admin center, Enterprise applications, Admin consent requests), connect again, or let the administrator connect here."),
        Refused::Busy => bad("directory_busy", "The directory is busy",
            "The organisation's directory could not serve the request now. Nothing was connected.",
            "Wait some minutes, and start again."),
        Refused::Collided => bad("consent_collided", "Another consent was in the way",
            "Somebody else consented at the same moment, or the application was removed from the organisation some minutes ago.",
            "Wait 15 minutes, and start again."),
        Refused::SignInPermission => bad("sign_in_permission", "The app registration is incomplete",
            "Nobody consented to the permission with which people sign in to the proxy's app registration.",
            "Add the delegated permission User.Read of Microsoft Graph to the app registration (API permissions), grant admin consent, and start again."),
        Refused::OtherDirectory => wrong_tenant(),
        Refused::NotAssigned => bad("not_assigned", "The account may not use this application",
            "The organisation lets only assigned people use the proxy's app registration.",
            "Ask for the assignment in Entra (Enterprise applications, Users and groups), or let somebody else connect."),
        Refused::Policy => bad("blocked_by_policy", "A policy blocks the sign-in",
            "The organisation's sign-in policies (Conditional Access) did not let the account in.",
            "Use the device or the network that the policy asks for."),
        Refused::RedirectUri => bad("redirect_uri", "The app registration is incomplete",
            "The proxy's addresses are not among the redirect URIs of the app registration.",
            "Add the two URIs that docs/CONNECT.md names to the app registration (Authentication, Web), and start again."),
        Refused::Application => bad("application_unknown", "The app registration is missing",
            "The directory does not know the client id that the proxy is configured with, or has disabled it.",
            "Compare `client_id` and `tenant` in the configuration with the app registration."),
        Refused::Permissions => bad("permissions_invalid", "The permissions cannot be granted",
            "The app registration lists a permission that this directory does not have.",
            "Compare the app registration's API permissions with those of the rules file."),
        Refused::Declined | Refused::Other => not_made("refused"),
    }
}

fn wrong_tenant() -> Notice {
    bad(
        "wrong_tenant",
        "Another organisation's account",
        "The account belongs to another directory than the one this proxy works for. Nothing was connected.",
        "Sign out of that account, or use a private window, and start again.",
    )
}

/// The notice for causes that only the operator can fix.
fn not_made(code: &'static str) -> Notice {
    bad(
        code,
        "The connection was not made",
        "The directory's response could not be used, so nothing was connected.",
        "Start again. If it happens again, the operator's log says why.",
    )
}

fn bad(code: &'static str, heading: &'static str, text: &'static str, advice: &'static str) -> Notice {
    Notice { tone: Tone::Bad, heading, text, permissions: Vec::new(), advice, code }
}

impl Problem {
    /// The stable code: in the audit and on the page.
    pub(super) fn code(&self) -> &'static str {
        self.page().1.code
    }

    /// The table: status, code and heading, text, advice. A new variant needs one row.
    #[rustfmt::skip]
    pub(super) fn page(&self) -> (StatusCode, Notice) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, bad("not_found", "No such page",
                "There is no connection page at this address.", "")),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, bad("method", "Method not allowed",
                "This page does not take requests of this kind.", "")),
            Self::Host => (StatusCode::MISDIRECTED_REQUEST, bad("foreign_host", "Not this address",
                "The proxy is not known under this name.", "Use its public address.")),
            Self::Address => (StatusCode::FORBIDDEN, bad("address", "Not from this network",
                "The connection pages are open to some networks only, and this browser is in none of them.",
                "Use the network that the operator of the proxy names, or ask for yours to be added.")),
            Self::CrossSite => (StatusCode::FORBIDDEN, bad("cross_site", "Sent from another site",
                "Another site tried to begin a connection in your name. Nothing was done.",
                "Begin on this page if you want to connect.")),
            Self::Form => (StatusCode::BAD_REQUEST, unreadable("form")),
            Self::Params => (StatusCode::BAD_REQUEST, unreadable("parameters")),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, bad("too_many", "Too many at once",
                "Many connections are being made right now.", "Wait a few seconds and try again.")),
            Self::AuditFailing => (StatusCode::SERVICE_UNAVAILABLE, bad("audit_failing", "Not now",
                "The proxy cannot write its audit log, and it does nothing that it cannot record.",
                "Ask the operator of the proxy.")),
            Self::Ticket(error) => (StatusCode::BAD_REQUEST, bad_ticket(*error)),
            Self::Tenant(_) => (StatusCode::BAD_GATEWAY, bad("directory_unreachable", "The directory cannot be reached",
                "The proxy got no usable response from the organisation's directory.",
                "Try again in a minute. If it happens again, the operator's log says why.")),
            Self::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, bad("not_stored", "Granted, but not stored",
                "The outcome could not be written to the proxy's file of connections.",
                "The operator's log says why.")),
            Self::Signing(_) | Self::Random(_) | Self::ProxyState(_) => (StatusCode::INTERNAL_SERVER_ERROR,
                bad("internal", "Internal error", "The proxy could not finish this step.",
                "The operator's log says why.")),
        }
    }
}

#[rustfmt::skip]
fn bad_ticket(error: TicketError) -> Notice {
    match error {
        TicketError::Foreign => foreign_ticket("state_foreign"),
        TicketError::Expired => bad("state_expired", "This took too long",
            "More than ten minutes have passed since the sign-in began. Nothing was changed.",
            "Start again."),
        TicketError::Browser => foreign_ticket("state_browser"),
        TicketError::Used => bad("state_used", "Already used",
            "This step was done before; going back or reloading does not repeat it.",
            "Look at the state of the connection, or start again."),
    }
}

fn foreign_ticket(code: &'static str) -> Notice {
    bad(
        code,
        "Not begun in this browser",
        "This response belongs to no connection that was begun in this browser. Nothing was changed.",
        "Start again, in one browser and with cookies allowed.",
    )
}

fn unreadable(code: &'static str) -> Notice {
    bad(
        code,
        "The request cannot be read",
        "What the browser sent is not what this page asks for. Nothing was done.",
        "Start again.",
    )
}
