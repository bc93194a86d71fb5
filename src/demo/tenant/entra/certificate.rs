//! Certificates of an app registration, with which the application authenticates.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key;

use super::jose::PublicKey;

/// The parts of a certificate that assertions need.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// The value of `x5t#S256`: SHA-256 of the DER encoding, in base64url.
    pub(super) thumbprint: String,
    /// The value of `x5t`: the same with SHA-1.
    pub(super) sha1: String,
    pub(super) key: PublicKey,
    /// In seconds since 1970.
    pub(super) valid: std::ops::RangeInclusive<i64>,
}

/// The certificate cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate in DER.
    #[error("this is not an X.509 certificate in DER")]
    Form,
    /// Not an RSA key. Entra verifies only assertions with RSA keys.
    #[error("the certificate's key is not an RSA key")]
    Key,
}

impl Certificate {
    pub(super) fn parse(der: &[u8]) -> Result<Certificate, CertificateError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::Form)?;
        if !rest.is_empty() {
            return Err(CertificateError::Form);
        }
        let Ok(public_key::PublicKey::RSA(key)) = certificate.public_key().parsed() else {
            return Err(CertificateError::Key);
        };
        let validity = certificate.validity();
        Ok(Certificate {
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(der)),
            sha1: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, der)),
            key: PublicKey::new(key.modulus, key.exponent),
            valid: validity.not_before.timestamp()..=validity.not_after.timestamp(),
        })
    }
}
