//! Client assertions, signed with a certificate's key. The application sends one in place of a client secret (RFC 7523
//! section 2.2; Microsoft, "Microsoft identity platform application authentication certificate credentials").

use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::jws;
use crate::upstream::secret::{Secret, read_file};
use glassine_core::graph::without_byte_order_mark;

/// How long an assertion is valid, in seconds. Microsoft recommends 5 to 10 minutes, which also covers clocks that
/// differ.
const LIFE: i64 = 600;

/// A certificate (PEM, the application's own first) and its private key (PEM). One file may hold both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub private_key: PathBuf,
}

/// Why a certificate cannot sign for the application.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// The key is encrypted with a pass phrase.
    #[error(
        "the private key is encrypted: write it without a pass phrase (`openssl pkey -in app.key -out plain.key`)"
    )]
    Encrypted,
    /// The certificate has expired.
    #[error("the certificate expired on {0}: make a new one and add it to the app registration")]
    Ended(Timestamp),
    /// The file has no certificate in PEM.
    #[error("the certificate file has no X.509 certificate in PEM (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// The file has no private key in PEM.
    #[error("the private key file has no private key in PEM (`-----BEGIN PRIVATE KEY-----`)")]
    NoKey,
    /// Entra verifies RSA signatures only.
    #[error("the private key is not an RSA key of at least 2048 bits, which Entra needs")]
    NotRsa,
    /// The key belongs to another certificate.
    #[error(
        "the private key does not belong to the certificate: put the key's certificate first in its file"
    )]
    Other,
    /// The cryptography library failed. No input can cause this.
    #[error("the assertion could not be signed")]
    Signing,
    /// One of the files cannot be read.
    #[error("the certificate or its private key cannot be read ({0}): check the paths and the owner")]
    Unreadable(io::ErrorKind),
}

/// A certificate with its key.
pub struct CertificateKey {
    pair: KeyPair,
    certificate: CertificateDer<'static>,
    ends: Timestamp,
}

/// How an assertion names the certificate that it was signed with. The name only tells Entra which of the registered
/// certificates to verify the signature with, so it decides nothing about who can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thumbprint {
    /// `x5t#S256` with PS256, which Microsoft documents now ("Microsoft identity platform application authentication
    /// certificate credentials").
    Sha256,
    /// `x5t` with RS256, which the same page documented until 2024 and MSAL still uses where `x5t#S256` is not known. The only
    /// report of an Entra that does not find a certificate by `x5t#S256` is pull request 1301 of MicrosoftDocs/entra-docs.
    Sha1,
}

impl CertificateFiles {
    /// Reads both files.
    pub(super) async fn read(&self) -> Result<CertificateKey, CertificateError> {
        let unreadable = |error: io::Error| CertificateError::Unreadable(error.kind());
        let certificate = read_file(&self.certificate).await.map_err(unreadable)?;
        let key = read_file(&self.private_key).await.map_err(unreadable)?;
        CertificateKey::parse(&certificate, &key)
    }
}

impl CertificateKey {
    /// Reads PEM and checks that key and certificate belong together.
    ///
    /// # Errors
    /// [`CertificateError`], which repeats nothing of the content.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let (certificate, key) = (without_byte_order_mark(certificate), without_byte_order_mark(key));
        let certificate =
            CertificateDer::from_pem_slice(certificate).map_err(|_| CertificateError::NoCertificate)?;
        let (_, parsed) =
            X509Certificate::from_der(&certificate).map_err(|_| CertificateError::NoCertificate)?;
        let pair = key_pair(key)?;
        if parsed.public_key().subject_public_key.data != pair.public_key().as_ref() {
            return Err(CertificateError::Other);
        }
        let ends = Timestamp::from_second(parsed.validity().not_after.timestamp());
        let ends = ends.map_err(|_| CertificateError::NoCertificate)?;
        Ok(Self { pair, certificate, ends })
    }

    /// When the certificate expires.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// An assertion of this application for one request to the token endpoint `audience`.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        thumbprint: Thumbprint,
        now: Timestamp,
    ) -> Result<Secret, CertificateError> {
        if self.ends <= now {
            return Err(CertificateError::Ended(self.ends));
        }
        let (name, hash, algorithm, padding) = match thumbprint {
            Thumbprint::Sha256 => ("x5t#S256", &SHA256, "PS256", &RSA_PSS_SHA256 as &dyn RsaEncoding),
            Thumbprint::Sha1 => {
                ("x5t", &SHA1_FOR_LEGACY_USE_ONLY, "RS256", &RSA_PKCS1_SHA256 as &dyn RsaEncoding)
            }
        };
        let named = URL_SAFE_NO_PAD.encode(digest(hash, &self.certificate));
        let header = json!({ "alg": algorithm, "typ": "JWT", name: named });
        let issued = now.as_second();
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": unique()?,
            "nbf": issued,
            "iat": issued,
            "exp": issued + LIFE,
        });
        jws::compact(&header, claims.to_string().as_bytes(), |text| self.sign(padding, text)).map(Secret::new)
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, text: &[u8]) -> Result<Vec<u8>, CertificateError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(padding, &SystemRandom::new(), text, &mut signature);
        signed.map(|()| signature).map_err(|_| CertificateError::Signing)
    }
}

/// Reads a key in PKCS #8 or PKCS #1, as OpenSSL writes it.
fn key_pair(pem: &[u8]) -> Result<KeyPair, CertificateError> {
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| match is_encrypted(pem) {
        true => CertificateError::Encrypted,
        false => CertificateError::NoKey,
    })?;
    let pair = match &key {
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(CertificateError::NotRsa),
    };
    pair.map_err(|_| if is_encrypted(pem) { CertificateError::Encrypted } else { CertificateError::NotRsa })
}

fn is_encrypted(pem: &[u8]) -> bool {
    pem.windows(9).any(|word| word == b"ENCRYPTED")
}

/// A random `jti`, unique to one assertion (RFC 7519 section 4.1.7).
fn unique() -> Result<String, CertificateError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| CertificateError::Signing)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};

    use super::*;

    fn made(pair: &rcgen::KeyPair) -> String {
        let params = CertificateParams::new(vec!["glassine.example".to_owned()]).unwrap();
        params.self_signed(pair).unwrap().pem()
    }

    fn rsa() -> rcgen::KeyPair {
        rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
    }

    fn fault(certificate: &str, key: &str) -> Option<CertificateError> {
        CertificateKey::parse(certificate.as_bytes(), key.as_bytes()).err()
    }

    #[test]
    fn a_certificate_and_its_rsa_key_may_be_in_two_files_or_one() {
        let (pair, other) = (rsa(), rsa());
        let (certificate, key) = (made(&pair), pair.serialize_pem());
        assert_eq!(fault(&certificate, &key), None);
        let both = format!("{key}{certificate}{}", made(&other));
        assert_eq!(fault(&both, &both), None);
        assert_eq!(fault(&certificate, &other.serialize_pem()), Some(CertificateError::Other));
        assert_eq!(fault(&made(&other), &key), Some(CertificateError::Other));
    }

    #[test]
    fn the_error_names_what_is_wrong_with_a_file() {
        let pair = rsa();
        let (certificate, key) = (made(&pair), pair.serialize_pem());
        let curve = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in ["", "no PEM", junk, &key] {
            assert_eq!(fault(bad, &key), Some(CertificateError::NoCertificate), "{bad}");
        }
        for bad in ["", "no PEM", &certificate] {
            assert_eq!(fault(&certificate, bad), Some(CertificateError::NoKey), "{bad}");
        }
        assert_eq!(fault(&made(&curve), &curve.serialize_pem()), Some(CertificateError::NotRsa));
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(fault(&certificate, &encrypted), Some(CertificateError::Encrypted));
    }

    #[test]
    fn a_certificate_signs_until_it_expires() {
        let pair = rsa();
        let mut params = CertificateParams::new(vec!["glassine.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let certificate = params.self_signed(&pair).unwrap().pem();
        let key = CertificateKey::parse(certificate.as_bytes(), pair.serialize_pem().as_bytes()).unwrap();
        let end: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let before: Timestamp = "2026-12-31T23:59:59Z".parse().unwrap();
        let assertion = |now| key.assertion("app", "https://login.example/token", Thumbprint::Sha256, now);
        assert!(assertion(before).is_ok());
        let late = assertion(end).err();
        assert_eq!(late, Some(CertificateError::Ended(end)));
    }
}
