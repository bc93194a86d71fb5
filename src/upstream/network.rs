//! How servers are reached: whom to trust, how long to wait, and through which proxy.

use rustls_pki_types::CertificateDer;

use super::proxies::Proxies;
use super::timeouts::Timeouts;

/// What every client here has in common.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Certification authorities beside the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Proxies on the way out.
    pub proxies: Proxies,
}
