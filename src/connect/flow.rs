//! The three steps of a connection.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use hyper::body::Incoming;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::aadsts::Refused;
use super::account::Account;
use super::browser::Browser;
use super::check::{Found, granted};
use super::pages::{self, Notice, Tone};
use super::person::tenant_pseudonym;
use super::problem::{Failure, Problem};
use super::request::{PageRequest, echo};
use super::response::PageResponse;
use super::signing::{self, Claims};
use super::site::{Connector, Site};
use super::spent::Spent;
use super::store::{Connection, ConnectionState};
use super::tenant::Tenant;
use super::ticket::{Consenting, Person, SigningIn, Stage, Ticket, TicketError};
use crate::jwt::{Algorithm, Expected, JwtError, RequiredClaim, Token, Verifier};
use crate::upstream::AuthorizationCode;
use crate::web::{Params, random_text, with_query};

/// Octets of a PKCE verifier: 43 characters, which RFC 7636 section 4.1 recommends.
const VERIFIER: usize = 32;

/// A finished step with its response.
pub(super) struct Done {
    pub(super) response: PageResponse,
    /// The reason in the audit record.
    pub(super) reason: &'static str,
    pub(super) allowed: bool,
}

/// The person pressed the button: redirects the browser to Entra's sign-in.
pub(super) async fn start(
    site: &Site,
    connector: &Connector,
    asked: &PageRequest<'_>,
    body: Incoming,
) -> Result<Done, Problem> {
    asked.check_same_site(site)?;
    let form = asked.form(body).await?;
    let echo = echo(&Params::parse(&form)?)?;
    let tenant = connector.application.tenant().await?;
    let browser = asked.browser(site).map_or_else(Browser::new, Ok)?;
    let stage = SigningIn { nonce: random_text::<16>()?, verifier: random_text::<VERIFIER>()? };
    let ticket = Ticket::new(&connector.name, echo, stage, &browser, now())?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&ticket.stage.verifier));
    let url = with_query(
        &tenant.authorize,
        &[
            ("client_id", &connector.application.client_id),
            ("response_type", "code"),
            ("redirect_uri", &site.signed_in_url()),
            ("response_mode", "query"),
            ("scope", "openid profile"),
            ("state", &ticket.seal(site.sealer())?),
            ("nonce", &ticket.stage.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "select_account"),
        ],
    );
    let response = PageResponse::redirect(url).with_cookie(browser.set_cookie(site.is_secure()));
    Ok(Done { response, reason: "started", allowed: true })
}

/// Entra's response to the sign-in: verifies it and redirects the browser to Entra's consent page.
pub(super) async fn signed_in(
    site: &Site,
    asked: &PageRequest<'_>,
    spent: &Spent,
    account: &mut Account,
) -> Result<Done, Problem> {
    let query = asked.query()?;
    let (ticket, browser) = redeem_ticket::<SigningIn>(site, asked, &query, spent)?;
    let connector = connector(site, &ticket, account)?;
    let tenant = connector.application.tenant().await?;
    match sign_in(site, connector, &tenant, &query, &ticket.stage).await? {
        Ok(person) => consent(site, connector, &tenant, person, ticket.echo, &browser),
        Err(failure) => fail(site, connector, account, failure, ticket.echo),
    }
}

/// The person who signed in, who must be from the configured tenant.
async fn sign_in(
    site: &Site,
    connector: &Connector,
    tenant: &Tenant,
    query: &Params<'_>,
    stage: &SigningIn,
) -> Result<Result<Person, Failure>, Problem> {
    if let Some(refused) = refused(query)? {
        return Ok(Err(Failure::SignIn(refused)));
    }
    let code = query.get("code")?.filter(|code| !code.is_empty()).ok_or(Problem::Params)?;
    let redirect_uri = site.signed_in_url();
    let code = AuthorizationCode { code: &code, verifier: &stage.verifier, redirect_uri: &redirect_uri };
    let redeemed = connector.application.redeem(code).await;
    Ok(match redeemed {
        Ok(id_token) => verify(connector, tenant, id_token.expose(), &stage.nonce).await,
        Err(error) => Err(Failure::Code(error)),
    })
}

async fn verify(
    connector: &Connector,
    tenant: &Tenant,
    id_token: &str,
    nonce: &str,
) -> Result<Person, Failure> {
    let required =
        |name: &str, value: &str| RequiredClaim { name: name.to_owned(), one_of: vec![value.to_owned()] };
    let expected = Expected {
        issuer: tenant.issuer.clone(),
        audiences: vec![connector.application.client_id.clone()],
        algorithms: Algorithm::DEFAULT.to_vec(),
        claims: vec![required("nonce", nonce)],
    };
    let verifier = Verifier::new(expected, Arc::clone(&tenant.keys));
    let verified = verifier.verify(Token::parse(id_token)?, now()).await;
    let claims = match verified {
        Ok(verified) => verified.claims,
        // Each tenant has its own issuer.
        Err(JwtError::Issuer) => return Err(Failure::WrongTenant),
        Err(error) => return Err(error.into()),
    };
    if !claims.text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(&tenant.id)) {
        return Err(Failure::WrongTenant);
    }
    let person = (claims.text("oid"), claims.text("preferred_username"));
    Ok(connector.shown.person(&connector.pseudonyms, person.0, person.1))
}

fn consent(
    site: &Site,
    connector: &Connector,
    tenant: &Tenant,
    person: Person,
    echo: Option<String>,
    browser: &Browser,
) -> Result<Done, Problem> {
    let stage = Consenting { tenant: tenant.id.clone(), person };
    let ticket = Ticket::new(&connector.name, echo, stage, browser, now())?;
    let url = with_query(
        &connector.application.consent_url(&tenant.id),
        &[
            ("client_id", &connector.application.client_id),
            ("scope", &connector.application.scope),
            ("redirect_uri", &site.consented_url()),
            ("state", &ticket.seal(site.sealer())?),
        ],
    );
    let response = PageResponse::redirect(url).with_cookie(browser.set_cookie(site.is_secure()));
    Ok(Done { response, reason: "signed_in", allowed: true })
}

/// Entra's response to the consent: checks which permissions were granted, stores the outcome and sends the result.
pub(super) async fn consented(
    site: &Site,
    asked: &PageRequest<'_>,
    spent: &Spent,
    account: &mut Account,
) -> Result<Done, Problem> {
    let query = asked.query()?;
    let (ticket, _) = redeem_ticket::<Consenting>(site, asked, &query, spent)?;
    let connector = connector(site, &ticket, account)?;
    let checked = match accepted(&query, &ticket.stage)? {
        Ok(()) => granted(site, connector).await.map_err(Failure::Check),
        Err(failure) => Err(failure),
    };
    match checked {
        Ok(granted) => conclude(site, connector, &granted, ticket.stage, ticket.echo).await,
        Err(failure) => fail(site, connector, account, failure, ticket.echo),
    }
}

/// Whether the query says that the consent was given, and for the tenant of the person who signed in. The query is not
/// trusted about permissions: the proxy asks Entra for them afterwards.
fn accepted(query: &Params<'_>, stage: &Consenting) -> Result<Result<(), Failure>, Problem> {
    if let Some(refused) = refused(query)? {
        return Ok(Err(Failure::Consent(refused)));
    }
    let given = query.get("admin_consent")?.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let tenant = query.get("tenant")?;
    let same = tenant.is_some_and(|tenant| tenant.eq_ignore_ascii_case(&stage.tenant));
    Ok(match (given, same) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::WrongTenant),
        (false, _) => Err(Failure::ConsentResponse),
    })
}

async fn conclude(
    site: &Site,
    connector: &Connector,
    granted: &Found,
    stage: Consenting,
    echo: Option<String>,
) -> Result<Done, Problem> {
    let tenant = tenant_pseudonym(&connector.pseudonyms, &stage.tenant);
    let state = granted.state();
    let connection = Connection {
        connector: connector.plan.connector.clone(),
        state,
        since: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        tenant: tenant.clone().unwrap_or_default(),
        missing: granted.missing(),
        excess: granted.excess(),
    };
    let connection = site.remember(&connector.name, connection).await?;
    let word = connection.state.word();
    let outcome = Outcome {
        connection: word,
        error: None,
        missing: &connection.missing,
        excess: &connection.excess,
        tenant: tenant.as_deref(),
        person: Some(&stage.person),
    };
    let response = respond(site, connector, &outcome, echo.as_deref(), &notice(&connection))?;
    Ok(Done { response, reason: word, allowed: state != ConnectionState::ConsentMissing })
}

fn fail(
    site: &Site,
    connector: &Connector,
    account: &Account,
    failure: Failure,
    echo: Option<String>,
) -> Result<Done, Problem> {
    account.log_failure(&failure);
    let outcome = Outcome { connection: "failed", error: Some(failure.code()), ..Outcome::default() };
    let response = respond(site, connector, &outcome, echo.as_deref(), &failure.notice())?;
    Ok(Done { response, reason: failure.code(), allowed: false })
}

/// The outcome of a flow: the claims of the result that differ from flow to flow.
#[derive(Default)]
struct Outcome<'a> {
    connection: &'static str,
    error: Option<&'static str>,
    missing: &'a [String],
    excess: &'a [String],
    tenant: Option<&'a str>,
    person: Option<&'a Person>,
}

/// Sends the browser back to the analytics application with a signed result. Without a return URL, a page shows the outcome.
fn respond(
    site: &Site,
    connector: &Connector,
    outcome: &Outcome<'_>,
    echo: Option<&str>,
    notice: &Notice,
) -> Result<PageResponse, Problem> {
    let Some(url) = &connector.return_url else {
        let status = if outcome.error.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let again = format!("/connect/{}", connector.name);
        let again = if notice.tone == Tone::Bad { again.as_str() } else { "/connect" };
        return Ok(PageResponse::page(status, pages::notice(site.prefix(), notice, again)));
    };
    let now = now();
    let claims = Claims {
        iss: site.public_url(),
        aud: url.origin().as_str(),
        iat: now,
        exp: now.saturating_add(signing::LIFETIME_SECONDS),
        jti: &random_text::<16>()?,
        consumer: &connector.name,
        connector: &connector.plan.connector,
        rules: &connector.fingerprint.to_string(),
        connection: outcome.connection,
        error: outcome.error,
        missing: outcome.missing,
        excess: outcome.excess,
        tenant: outcome.tenant,
        person: outcome.person,
        state: echo,
    };
    let result = site.result_keys().sign(&claims)?;
    Ok(PageResponse::redirect(with_query(url.as_str(), &[("result", &result)])))
}

fn notice(connection: &Connection) -> Notice {
    let (tone, heading, text, permissions, advice) = match connection.state {
        ConnectionState::Connected => (
            Tone::Good,
            "Connected",
            "Exactly the permissions that the rules need are granted.",
            &connection.excess,
            "",
        ),
        ConnectionState::OverPrivileged => (
            Tone::Warning,
            "Connected, over-privileged",
            "The connection works. These permissions are granted and more than the rules need:",
            &connection.excess,
            "Remove them from the app registration (API permissions), revoke their consent, and connect again.",
        ),
        ConnectionState::GrantedUnverified => (
            Tone::Warning,
            "Connected, permissions not readable",
            "Requests to Microsoft Graph succeed, and none was denied. Entra's access token cannot be read here, so whether more is granted than the rules need is not known.",
            &connection.excess,
            "Compare the app registration's API permissions with those of the rules file.",
        ),
        ConnectionState::ConsentMissing => (
            Tone::Bad,
            "Consent missing",
            "These permissions are needed and not granted:",
            &connection.missing,
            "Add them to the app registration (API permissions, application permissions) if they are not there, and connect again. If a consent is on its way, it may take some minutes: the proxy uses it as soon as Entra's tokens have it. Mailbox permissions that are assigned in Exchange do not show here; the command glassine doctor tries them.",
        ),
    };
    let code = connection.state.word();
    Notice { tone, heading, text, permissions: permissions.clone(), advice, code }
}

/// Opens the ticket that the browser brought back, and marks it as used.
fn redeem_ticket<S: Stage>(
    site: &Site,
    asked: &PageRequest<'_>,
    query: &Params<'_>,
    spent: &Spent,
) -> Result<(Ticket<S>, Browser), Problem> {
    let sealed = query.get("state")?.ok_or(TicketError::Foreign)?;
    let browser = asked.browser(site);
    let now = now();
    let ticket = Ticket::open(&sealed, site.sealer(), browser.as_ref(), now)?;
    let browser = browser.ok_or(TicketError::Browser)?;
    if spent.spend(&ticket.id, ticket.expires, now) {
        Ok((ticket, browser))
    } else {
        Err(TicketError::Used.into())
    }
}

/// The connector that a ticket is for. A reload of the configuration may have removed it.
fn connector<'s, S>(
    site: &'s Site,
    ticket: &Ticket<S>,
    account: &mut Account,
) -> Result<&'s Connector, Problem> {
    let connector = site.connector(&ticket.consumer).ok_or(TicketError::Foreign)?;
    account.set_connector(connector);
    Ok(connector)
}

/// Entra's error, if the query has one.
fn refused(query: &Params<'_>) -> Result<Option<Refused>, Problem> {
    let Some(error) = query.get("error")? else { return Ok(None) };
    Ok(Some(Refused::of(&error, query.raw("error_description").unwrap_or_default())))
}

/// Seconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_second()
}
