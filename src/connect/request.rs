//! Reading a request, and choosing the page that it is for.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderName, ORIGIN};
use http::request::Parts;
use http::{Method, Version};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use super::browser::Browser;
use super::pages::{self, ConnectorView, SiteView};
use super::problem::Problem;
use super::site::{Connector, Site};
use crate::server::single;
use crate::web::{MAX_PARAMS, Params};

/// Generous: a form with one field arrives at once.
const FORM_LIMIT: Duration = Duration::from_secs(10);

/// The longest `state` that an analytics application may give and gets back.
const MAX_ECHO: usize = 512;

/// A request's head.
pub(super) struct PageRequest<'a> {
    parts: &'a Parts,
    /// The address of the connection's other end.
    peer: IpAddr,
}

/// What a request is for.
pub(super) enum Page<'s> {
    /// A document that every address may have.
    ForAll(SiteView),
    /// A page that shows something.
    OfSite(SiteView),
    /// A page that shows something of one connector.
    OfConnector(ConnectorView, &'s Connector),
    /// The person pressed the button to connect.
    Start(&'s Connector),
    /// Entra's response to the sign-in.
    SignedIn,
    /// Entra's response to the consent.
    Consented,
}

impl Page<'_> {
    /// Whether the request is a step of a flow, which is recorded in the audit log.
    pub(super) fn is_step(&self) -> bool {
        match self {
            Self::Start(_) | Self::SignedIn | Self::Consented => true,
            Self::ForAll(_) | Self::OfSite(_) | Self::OfConnector(..) => false,
        }
    }
}

impl<'a> PageRequest<'a> {
    pub(super) fn new(parts: &'a Parts, peer: IpAddr) -> Self {
        Self { parts, peer }
    }

    /// Checks that the request is addressed to this proxy.
    pub(super) fn check_host(&self, site: &Site) -> Result<(), Problem> {
        if self.parts.version < Version::HTTP_11 {
            return Err(Problem::Host);
        }
        site.hosts().check(self.parts).map_err(|_| Problem::Host)
    }

    /// Checks that the browser's address may see these pages.
    pub(super) fn check_address(&self, site: &Site) -> Result<(), Problem> {
        if site.may_come_from(self.peer, &self.parts.headers) { Ok(()) } else { Err(Problem::Address) }
    }

    /// The browser's address, as trusted proxies say; the peer's, if they say nothing that can be read.
    pub(super) fn address(&self, site: &Site) -> IpAddr {
        site.address_of(self.peer, &self.parts.headers).unwrap_or(self.peer)
    }

    pub(super) fn page<'s>(&self, site: &'s Site) -> Result<Page<'s>, Problem> {
        let path = self.parts.uri.path().strip_prefix("/connect").ok_or(Problem::NotFound)?;
        let reads = matches!(self.parts.method, Method::GET | Method::HEAD);
        let page = match path {
            "/signed-in" => Page::SignedIn,
            "/consented" => Page::Consented,
            _ => match (view(pages::FOR_ALL, path), view(pages::OF_SITE, path)) {
                (Some(view), _) => Page::ForAll(view),
                (None, Some(view)) => Page::OfSite(view),
                (None, None) => return self.connector_page(site, path),
            },
        };
        // A step uses up its ticket, so HEAD, which must have no effect, is not allowed for it.
        let may = if page.is_step() { self.parts.method == Method::GET } else { reads };
        if may { Ok(page) } else { Err(Problem::Method) }
    }

    fn connector_page<'s>(&self, site: &'s Site, path: &str) -> Result<Page<'s>, Problem> {
        let path = path.strip_prefix('/').ok_or(Problem::NotFound)?;
        let (name, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let connector = site.connector(name).ok_or(Problem::NotFound)?;
        let view = view(pages::OF_CONNECTOR, rest).ok_or(Problem::NotFound)?;
        match self.parts.method {
            Method::GET | Method::HEAD => Ok(Page::OfConnector(view, connector)),
            Method::POST if rest.is_empty() => Ok(Page::Start(connector)),
            _ => Err(Problem::Method),
        }
    }

    /// The query's parameters.
    pub(super) fn query(&self) -> Result<Params<'a>, Problem> {
        Ok(Params::parse(self.parts.uri.query().unwrap_or_default())?)
    }

    /// The `state` that the analytics application gets back.
    pub(super) fn echo(&self) -> Result<Option<String>, Problem> {
        echo(&self.query()?)
    }

    pub(super) fn browser(&self, site: &Site) -> Option<Browser> {
        Browser::of(&self.parts.headers, site.is_secure())
    }

    /// Checks that a page of this site sent the form. Browsers say so in `Sec-Fetch-Site` (Fetch Metadata) and `Origin`
    /// (RFC 6454, section 7).
    pub(super) fn check_same_site(&self, site: &Site) -> Result<(), Problem> {
        let fetch_site = HeaderName::from_static("sec-fetch-site");
        let from_here = |site: &str| matches!(site, "same-origin" | "none");
        let headers = &self.parts.headers;
        let ours = single(headers, &fetch_site).map(from_here);
        // Browsers send `Origin: null` for a form on a page without referrer. Then `Sec-Fetch-Site` decides.
        let is_ours = |origin: &str| site.is_origin(origin) || (origin == "null" && ours == Some(true));
        let foreign_site = headers.contains_key(&fetch_site) && ours != Some(true);
        let foreign_origin = headers.contains_key(ORIGIN) && !single(headers, &ORIGIN).is_some_and(is_ours);
        if foreign_site || foreign_origin { Err(Problem::CrossSite) } else { Ok(()) }
    }

    /// The form's text.
    pub(super) async fn form(&self, body: Incoming) -> Result<String, Problem> {
        let kind = single(&self.parts.headers, &CONTENT_TYPE).and_then(|kind| kind.split(';').next());
        let is_form =
            kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Problem::Form);
        }
        let read = tokio::time::timeout(FORM_LIMIT, Limited::new(body, MAX_PARAMS).collect());
        let bytes = read.await.map_err(|_| Problem::Form)?.map_err(|_| Problem::Form)?.to_bytes();
        String::from_utf8(bytes.into()).map_err(|_| Problem::Form)
    }
}

fn view<V: Copy>(views: &[(&str, V)], path: &str) -> Option<V> {
    views.iter().find(|(own, _)| *own == path).map(|(_, view)| *view)
}

/// `state`, as an analytics application gives it: up to 512 visible ASCII characters.
pub(super) fn echo(params: &Params<'_>) -> Result<Option<String>, Problem> {
    let echo = params.get("state")?.filter(|echo| !echo.is_empty());
    let fits = |echo: &String| echo.len() <= MAX_ECHO && echo.bytes().all(|b| b.is_ascii_graphic());
    if echo.as_ref().is_none_or(fits) { Ok(echo) } else { Err(Problem::Params) }
}
