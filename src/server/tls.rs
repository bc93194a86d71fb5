//! The TLS configuration of the listeners, reloaded while they run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerConfig, VerifierBuilderError, WebPkiClientVerifier};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate;
use crate::config::files::{FileError, read_bytes, without_byte_order_mark};
use crate::config::{ClientCertificates, TlsFiles};

/// HTTP/2 over TLS (RFC 9113, section 3.2).
pub(super) const ALPN_HTTP2: &[u8] = b"h2";

/// HTTP/1.1 (RFC 7301, section 6).
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The current certificate, key and client authorities. Open connections keep those that they began with.
#[derive(Debug)]
pub struct TlsState {
    current: ArcSwap<ServerConfig>,
    /// When the first certificate of the chain ends, in seconds since 1970.
    end: AtomicI64,
}

/// Why certificates or keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not PEM.
    #[error("{}: the file cannot be read as PEM: {fault}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: PemFault,
    },
    /// The file has no certificate.
    #[error("{}: the file has no certificate (`-----BEGIN CERTIFICATE-----`)", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file has no private key.
    #[error(
        "{}: the file has no private key (`-----BEGIN PRIVATE KEY-----`; an encrypted one cannot be used)",
        path.display()
    )]
    NoPrivateKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not belong together, or one of them is malformed.
    #[error(
        "{}: the certificate cannot be used with the private key {}",
        certificate.display(),
        private_key.display()
    )]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// What is wrong with them.
        #[source]
        source: rustls::Error,
    },
    /// A certificate authority is malformed.
    #[error("{}: a certificate in the file cannot be a certificate authority", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// The authorities cannot be used to verify clients.
    #[error("{}: the file cannot be used to verify client certificates", path.display())]
    Verifier {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: VerifierBuilderError,
    },
    /// The cryptography library lacks the protocol versions. Only a wrong build can cause this.
    #[error("this build cannot speak TLS 1.2 and 1.3")]
    Versions(#[source] rustls::Error),
}

/// What is wrong with a PEM file, without its content. The library's own error text quotes lines, which may be a key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// The content of a section is not base64.
    #[error("a section is not base64")]
    Base64,
    /// A `BEGIN` line is malformed.
    #[error("a BEGIN line is malformed")]
    Begin,
    /// A section has no `END` line.
    #[error("a section has no END line")]
    End,
    /// Anything else.
    #[error("it is malformed")]
    Other,
}

impl From<&pem::Error> for PemFault {
    fn from(error: &pem::Error) -> Self {
        match error {
            pem::Error::MissingSectionEnd { .. } => Self::End,
            pem::Error::IllegalSectionStart { .. } => Self::Begin,
            pem::Error::Base64Decode(_) => Self::Base64,
            _ => Self::Other,
        }
    }
}

impl TlsState {
    /// Reads the files.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let (config, end) = read(files)?;
        Ok(Self { current: ArcSwap::from_pointee(config), end: AtomicI64::new(end) })
    }

    /// Reads the files again, for new connections. On an error, the last good files stay in use.
    pub fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let (config, end) = read(files)?;
        self.current.store(Arc::new(config));
        self.end.store(end, Ordering::Relaxed);
        Ok(())
    }

    /// When the first certificate of the chain ends, in seconds since 1970. Zero if it cannot be read.
    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::Relaxed)
    }

    /// The configuration for a new connection.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

/// The configuration, and when the first certificate of the chain ends.
fn read(files: &TlsFiles) -> Result<(ServerConfig, i64), TlsError> {
    let certificates = read_certificates(files.certificate.path())?;
    let end = certificate::end(&certificates).unwrap_or_default();
    let key = read_key(files.private_key.path())?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Versions)?;
    let builder = match &files.client_ca {
        Some(authorities) => {
            let verifier = client_verifier(authorities.path(), files.client_certificates, provider)?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(|source| TlsError::Pair {
        certificate: files.certificate.path().to_owned(),
        private_key: files.private_key.path().to_owned(),
        source,
    })?;
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
    Ok((config, end))
}

/// Verifies client certificates: issued by one of the file's authorities, valid now, and allowed for client
/// authentication if the certificate restricts its use. There are no revocation lists: to lock a consumer out, remove
/// its name from the configuration.
fn client_verifier(
    path: &Path,
    required: ClientCertificates,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        roots.add(certificate).map_err(|source| TlsError::Authority { path: path.to_owned(), source })?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match required {
        ClientCertificates::Required => builder,
        ClientCertificates::Optional => builder.allow_unauthenticated(),
    };
    builder.build().map_err(|source| TlsError::Verifier { path: path.to_owned(), source })
}

/// The certificates of a PEM file. Fails if there are none.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read_bytes(path)?;
    let certificates = CertificateDer::pem_slice_iter(without_byte_order_mark(&text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem { path: path.to_owned(), fault: (&error).into() })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(without_byte_order_mark(&read_bytes(path)?)).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoPrivateKey { path: path.to_owned() },
        error => TlsError::Pem { path: path.to_owned(), fault: (&error).into() },
    })
}
