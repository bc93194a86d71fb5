//! The pages on which an administrator connects a data source: the needed permissions and their reasons, Entra's
//! sign-in and consent, a check of the granted permissions, and the way back to the analytics application.
//!
//! ```text
//!  browser            this proxy                    Entra
//!    │  GET  /connect/NAME        what leaves, what for
//!    │  POST /connect/NAME ─────▶ ticket 1 ─ 303 ──▶ sign in (code, PKCE, nonce)
//!    │  GET  /connect/signed-in ◀───────── code ─────┤
//!    │        open ticket 1, redeem the code, verify the id_token and its tenant
//!    │                            ticket 2 ─ 303 ──▶ permissions: Accept
//!    │  GET  /connect/consented ◀────────────────────┤
//!    │        open ticket 2, ask for a fresh token, compare its roles with the rules
//!    └─ 303 ─▶ the consumer's return_url?result=…   (or a page that shows the outcome)
//! ```
//!
//! # Threats
//!
//! These pages have no login. They show only what the operator's files say, and `allow_from` closes them to strangers. Every decision rests on responses that the
//! proxy fetches from Entra over its own connection. Anybody can forge the query of a callback, so the proxy uses it
//! only to find the [`ticket`], which is sealed and valid for one step, one browser, ten minutes and one use. The
//! tenant comes from the id_token and must be the configured one. The proxy compares `tenant` in a query with it and
//! never trusts it. PKCE and the nonce bind the code to the browser. The proxy never shows, logs or redirects with a
//! query, a cookie or an error description from Entra. Redirects go only to the authority and to the consumer's
//! configured URL. Pages have no script, and their content security policy allows none.
//!
//! # What leaves
//!
//! The result for the analytics application is signed ([`signing`]). It names the tenant by a pseudonym. It names the
//! person only if the rules let users out, and then by the pseudonyms that the consumer gets for users.
//!
//! | file | what |
//! |---|---|
//! | `site` | what is built from the configuration: connectors, keys, the file of connections |
//! | `request` | reading a request, and choosing its page |
//! | `flow` | the three steps |
//! | `check` | the check of what a consent granted |
//! | `application` | an app registration: redeeming codes, and its granted permissions |
//! | `tenant` | the tenant's OpenID configuration |
//! | `ticket`, `browser`, `spent` | the sealed state of a flow, bound to one browser and one use |
//! | `aadsts` | Entra's errors, by their codes |
//! | `person` | who connects, as pseudonyms |
//! | `signing` | the result for the analytics application |
//! | `store` | the state of each connection |
//! | `pages` | the pages as HTML |
//! | `problem` | everything that can go wrong, with the texts that the pages show |
//! | `response` | responses and their headers |
//! | `account` | the audit record of a step |

mod aadsts;
mod account;
mod application;
mod browser;
mod check;
mod flow;
mod pages;
mod person;
mod problem;
mod request;
mod response;
mod signing;
mod site;
mod spent;
mod store;
mod tenant;
mod ticket;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use account::{Account, Accounting};
use problem::Problem;
use request::{Page, PageRequest};
use response::PageResponse;
use spent::Spent;

pub use site::Site;

use crate::audit::AuditLog;
use crate::metrics::Metrics;
use crate::rate_limiter::RateLimiter;

/// The connection pages. Their site can be replaced while they are served.
pub struct Connect {
    site: ArcSwapOption<Site>,
    spent: Spent,
    /// For pages that only show something.
    pages: RateLimiter,
    /// For steps, which make requests to Entra.
    steps: RateLimiter,
    books: Accounting,
}

/// The time between two pages, and how many come at once at most: enough for many administrators, too few for a flood.
const PAGES: (Duration, u32) = (Duration::from_millis(50), 100);

/// The time between two steps, and how many come at once at most. A flow has three steps.
const STEPS_PACE: (Duration, u32) = (Duration::from_millis(200), 60);

impl Connect {
    /// The pages of this site. `None` serves no pages.
    pub fn new(site: Option<Site>, audit: Arc<AuditLog>, metrics: Arc<Metrics>) -> Self {
        let now = Instant::now();
        Self {
            site: ArcSwapOption::from_pointee(site),
            spent: Spent::default(),
            pages: RateLimiter::new(PAGES.0, PAGES.1, now),
            steps: RateLimiter::new(STEPS_PACE.0, STEPS_PACE.1, now),
            books: Accounting { audit, metrics },
        }
    }

    /// Serves the pages of another site from now on. Used tickets stay used.
    pub fn replace(&self, site: Option<Site>) {
        self.site.store(site.map(Arc::new));
    }

    /// Whether a request for this path is for these pages.
    pub fn serves(&self, path: &str) -> bool {
        let own = path.strip_prefix("/connect").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        own && self.site.load().is_some()
    }

    /// Responds to one request of a peer at this address. Never fails: every problem has a page.
    pub async fn handle(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let response = match self.site.load_full() {
            Some(site) => self.respond(&site, &PageRequest::new(&parts, peer), body).await,
            None => PageResponse::page(StatusCode::NOT_FOUND, String::new()),
        };
        response.into_response()
    }

    async fn respond(&self, site: &Site, asked: &PageRequest<'_>, body: Incoming) -> PageResponse {
        let page = match self.admit(site, asked) {
            Ok(page) => page,
            Err(problem) => return site.problem(&problem, "/connect"),
        };
        let address = asked.address(site);
        match page {
            Page::ForAll(view) | Page::OfSite(view) => view(site),
            Page::OfConnector(view, connector) => {
                view(site, connector, asked).unwrap_or_else(|problem| site.problem(&problem, "/connect"))
            }
            Page::Start(connector) => {
                let mut account = self.books.open("POST", account::START, Some(connector), address);
                let step = async {
                    account.reserve().await?;
                    flow::start(site, connector, asked, body).await
                };
                let result = step.await;
                settle(site, account, result).await
            }
            Page::SignedIn => {
                let mut account = self.books.open("GET", account::SIGNED_IN, None, address);
                let step = async {
                    account.reserve().await?;
                    flow::signed_in(site, asked, &self.spent, &mut account).await
                };
                let result = step.await;
                settle(site, account, result).await
            }
            Page::Consented => {
                let mut account = self.books.open("GET", account::CONSENTED, None, address);
                let step = async {
                    account.reserve().await?;
                    flow::consented(site, asked, &self.spent, &mut account).await
                };
                let result = step.await;
                settle(site, account, result).await
            }
        }
    }

    /// The requested page, if the host, the browser's address and the rate limits allow it.
    fn admit<'s>(&self, site: &'s Site, asked: &PageRequest<'_>) -> Result<Page<'s>, Problem> {
        asked.check_host(site)?;
        let page = asked.page(site);
        // Before it is said which pages there are: they have the names of consumers.
        if !matches!(page, Ok(Page::ForAll(_))) {
            asked.check_address(site)?;
        }
        let page = page?;
        let pace = if page.is_step() { &self.steps } else { &self.pages };
        if !pace.allows(Instant::now()) {
            return Err(Problem::TooMany);
        }
        Ok(page)
    }
}

/// The response of a step, once the audit log has its record.
async fn settle(site: &Site, account: Account, result: Result<flow::Done, Problem>) -> PageResponse {
    match result {
        Err(problem) => refuse(site, account, &problem),
        Ok(flow::Done { response, reason, allowed: false }) => {
            account.refuse(reason, response.status());
            response
        }
        Ok(flow::Done { response, reason, allowed: true }) => {
            match account.confirm(reason, response.status()).await {
                Ok(()) => response,
                Err(account) => refuse(site, account, &Problem::AuditFailing),
            }
        }
    }
}

fn refuse(site: &Site, account: Account, problem: &Problem) -> PageResponse {
    account.log(problem);
    let response = site.problem(problem, "/connect");
    account.refuse(problem.code(), response.status());
    response
}
