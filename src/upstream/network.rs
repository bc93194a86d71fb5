//! How to reach servers: which roots to trust, how long to wait, through which proxy, and how connections are kept.

use rustls_pki_types::CertificateDer;

use super::pool::PoolLimits;
use super::proxies::Proxies;
use super::timeouts::Timeouts;
use crate::metrics::UpstreamConnections;

/// The network settings that all clients share.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Root certificates besides the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Outbound proxies.
    pub proxies: Proxies,
    /// How connections are kept.
    pub pool: PoolLimits,
    /// Counts the connections.
    pub connections: UpstreamConnections,
}

impl Network {
    /// Whether servers are reached as with the other settings. Proxies come from the environment, which does not change.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.extra_roots == other.extra_roots && self.timeouts == other.timeouts
    }
}
