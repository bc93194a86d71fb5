//! What a certificate says: for when and for whom.

use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// A certificate that ends within this time should be renewed: a month is enough to do it by hand. In seconds.
pub(crate) const SOON: i64 = 30 * 86_400;

/// When certificates are valid, all of them at once. Times are in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// One of them is malformed.
    Malformed,
    /// One of them is not valid before this time.
    From(i64),
    /// All are valid until this time, which may have passed.
    Until(i64),
}

impl Validity {
    pub(crate) fn of(certificates: &[CertificateDer<'_>], now: i64) -> Self {
        let Some(periods) = certificates.iter().map(period).collect::<Option<Vec<_>>>() else {
            return Self::Malformed;
        };
        let begins = periods.iter().map(|(begins, _)| *begins).max().unwrap_or(now);
        let ends = periods.iter().map(|(_, ends)| *ends).min().unwrap_or(now);
        if begins > now { Self::From(begins) } else { Self::Until(ends) }
    }
}

/// When the first of these certificates ends, in seconds since 1970. `None` if there is none that can be read.
pub(crate) fn end(certificates: &[CertificateDer<'_>]) -> Option<i64> {
    certificates.iter().filter_map(period).map(|(_, ends)| ends).min()
}

fn period(certificate: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Whether a certificate names itself as its issuer.
pub(crate) fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, it)| it.issuer() == it.subject())
}

/// Whether the first of these certificates is for a host, which has no brackets.
pub(crate) fn is_for(chain: &[CertificateDer<'_>], host: &str) -> bool {
    let own = chain.first().and_then(|own| ParsedCertificate::try_from(own).ok());
    own.zip(ServerName::try_from(host).ok())
        .is_some_and(|(certificate, name)| verify_server_name(&certificate, &name).is_ok())
}
