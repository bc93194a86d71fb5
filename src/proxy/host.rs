//! Which host a request names: `Host`, a target in absolute-form, or `:authority` (RFC 9112, 3.2; RFC 9113, 8.3.1).

use std::net::SocketAddr;

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Version};

use crate::server::single;
use glassine_core::graph::{BaseUrl, Host, Scheme as Kind};

/// The hosts under which clients may address this proxy.
#[derive(Clone)]
pub(crate) struct Hosts {
    /// `public_url`.
    pub(super) public: BaseUrl,
    /// The address that this proxy listens at. Clients may use it too.
    pub(super) listen: SocketAddr,
}

/// Why a request is not for this proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    /// The target is neither a path nor a URL: authority-form, or a request to tunnel.
    #[error("the target is neither a path nor a URL")]
    TargetForm,
    /// `Host` is missing, repeated or invalid (RFC 9112, 3.2).
    #[error("the request does not have one valid host")]
    Invalid,
    /// `Host` and `:authority` name two hosts (RFC 9113, 8.3.1).
    #[error("the request names two hosts")]
    Two,
    /// The host is not this proxy's.
    #[error("the host is not this proxy's")]
    Foreign,
}

impl Hosts {
    /// Where consumers find this proxy.
    pub(super) fn public(&self) -> &BaseUrl {
        &self.public
    }

    /// Checks that the request is for this proxy.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), HostError> {
        let field = host_field(&parts.headers)?;
        match (parts.version, parts.uri.authority(), &field) {
            (_, None, field) => self.expect(field.as_ref().ok_or(HostError::Invalid)?, self.kind()),
            (Version::HTTP_2, Some(target), None) => self.expect(target, self.kind()),
            (Version::HTTP_2, Some(target), Some(field)) if !self.is_same(target, field) => {
                Err(HostError::Two)
            }
            (Version::HTTP_2, Some(target), Some(_)) => self.expect(target, self.kind()),
            (_, Some(target), field) => {
                let kind = absolute_form(parts).ok_or(HostError::TargetForm)?;
                // RFC 9112, 3.2.2: the target counts and `Host` does not. A `Host` of somebody else is still refused: a
                // program in front of this proxy may have decided by it.
                self.expect(field.as_ref().ok_or(HostError::Invalid)?, self.kind())?;
                self.expect(target, kind)
            }
        }
    }

    /// The scheme that a request without one has.
    fn kind(&self) -> Kind {
        self.public.origin().scheme()
    }

    fn expect(&self, authority: &Authority, kind: Kind) -> Result<(), HostError> {
        if self.include(authority, kind) { Ok(()) } else { Err(HostError::Foreign) }
    }

    /// Whether this authority, under a URL of this scheme, names this proxy.
    fn include(&self, authority: &Authority, kind: Kind) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let Ok(host) = Host::parse(authority.host()) else { return false };
        let port = authority.port_u16().unwrap_or(kind.default_port());
        self.is_public(&host, port, kind) || self.is_listener(&host, port)
    }

    fn is_public(&self, host: &Host, port: u16, kind: Kind) -> bool {
        let own = self.public.origin();
        let is_own = host == own.host() || (host.is_loopback() && own.host().is_loopback());
        is_own && port == own.port() && kind == own.scheme()
    }

    /// Whether the host is the listener's IP address, as in health checks and tests. A name that resolves to it is
    /// refused.
    fn is_listener(&self, host: &Host, port: u16) -> bool {
        let listen = self.listen.ip();
        port == self.listen.port()
            && host.address().is_some_and(|address| listen.is_unspecified() || address == listen)
    }

    /// Whether two authorities are equal once normalized (RFC 3986, 6.2): letter case and the default port do not count.
    fn is_same(&self, one: &Authority, other: &Authority) -> bool {
        let port = |authority: &Authority| authority.port_u16().unwrap_or(self.kind().default_port());
        let has_user = |authority: &Authority| authority.as_str().contains('@');
        one.host().eq_ignore_ascii_case(other.host())
            && port(one) == port(other)
            && !has_user(one)
            && !has_user(other)
    }
}

/// `Host`, if there is one.
fn host_field(headers: &HeaderMap) -> Result<Option<Authority>, HostError> {
    if !headers.contains_key(HOST) {
        return Ok(None);
    }
    let field = single(headers, &HOST).and_then(|host| host.parse().ok());
    field.map(Some).ok_or(HostError::Invalid)
}

/// The scheme of a target in absolute-form. A target without a scheme is in authority-form.
fn absolute_form(parts: &Parts) -> Option<Kind> {
    let scheme = parts.uri.scheme().filter(|_| parts.method != Method::CONNECT)?;
    [(Scheme::HTTP, Kind::Http), (Scheme::HTTPS, Kind::Https)]
        .into_iter()
        .find(|(known, _)| known == scheme)
        .map(|(_, kind)| kind)
}
