//! How to reach servers: which roots to trust, how long to wait, and through which proxy.

use rustls_pki_types::CertificateDer;

use super::proxies::Proxies;
use super::timeouts::Timeouts;

/// The network settings that all clients share.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Root certificates besides the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Outbound proxies.
    pub proxies: Proxies,
}
