//! The section `admin`: the listeners for health and metrics.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::check::{Context, check_address, check_listen, optional};
use super::codes::CONFIG_VALUE;
use super::consumer::{BearerHash, check_hashes};
use super::raw;

/// The listeners for health and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The address for everything.
    pub listen: SocketAddr,
    /// Whether `listen` uses TLS, with the files of [`super::Config::tls`]: never on a loopback address, always on others.
    pub tls: bool,
    /// The hashes of the tokens that open what is more than a word. Empty on loopback only: then nobody needs one.
    pub tokens: Vec<BearerHash>,
    /// The address of the listener for orchestrators' probes: plain HTTP, and only a word about health and readiness.
    pub probes: Option<SocketAddr>,
}

impl Admin {
    /// Whether everybody on this machine may read the metrics: without TLS and without a token.
    pub fn is_open(&self) -> bool {
        !self.tls && self.tokens.is_empty()
    }

    /// An address that leads to [`Self::listen`] from this machine.
    pub fn reachable(&self) -> SocketAddr {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.listen.port())
    }
}

pub(super) fn check_admin(admin: &raw::Admin, has_tls: bool, context: &mut Context<'_>) -> Option<Admin> {
    let listen = check_listen(&admin.listen, has_tls, context);
    let probes = optional(admin.probes.as_ref(), |text| check_address(text, context));
    let tokens = optional(admin.bearer_sha256.as_ref(), |hashes| check_hashes(hashes, context));
    let (listen, tokens) = (listen?, tokens?.unwrap_or_default());
    let tls = !listen.ip().is_loopback();
    if tls && tokens.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            &admin.listen.span,
            "metrics are readable from other machines, and no token protects them",
            "add `bearer_sha256` to `admin`: `glassine token new` makes a token and its hash. For health checks alone, \
             listen on 127.0.0.1 and name an address for `probes`, which needs no token",
        );
    }
    Some(Admin { listen, tls, tokens, probes: probes? })
}
