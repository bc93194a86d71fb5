//! The names in a verified client certificate, read once when the connection begins.
//!
//! Only subjectAltName counts. A common name is free text that an authority may have copied from the certificate
//! request (RFC 9525, section 2). TLS verification does not prove that it is right.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::config::SubjectName;

/// The names in a verified certificate, and when it expires.
#[derive(Debug)]
pub struct ClientIdentity {
    names: Vec<SubjectName>,
    ends: i64,
}

impl ClientIdentity {
    /// Reads a certificate. `None` if it cannot be read, which TLS verification should already have refused.
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(certificate).ok()?;
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.map(|it| it.value.general_names.iter().filter_map(name).collect());
        let ends = certificate.validity().not_after.timestamp();
        rest.is_empty().then(|| Self { names: names.unwrap_or_default(), ends })
    }

    /// The names; none once the certificate has expired (`now` in seconds since 1970). A connection can outlive a
    /// short-lived certificate.
    pub(crate) fn names_at(&self, now: i64) -> &[SubjectName] {
        if now <= self.ends { &self.names } else { &[] }
    }
}

fn name(name: &GeneralName<'_>) -> Option<SubjectName> {
    match name {
        GeneralName::DNSName(name) => Some(SubjectName::dns(name)),
        GeneralName::RFC822Name(address) => Some(SubjectName::email(address)),
        GeneralName::URI(uri) => Some(SubjectName::Uri((*uri).to_owned())),
        GeneralName::IPAddress(octets) => address(octets).map(SubjectName::Ip),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}
