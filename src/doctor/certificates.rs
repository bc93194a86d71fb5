//! Certificates: when they expire, and whether the listener's certificate fits its name, chain and key.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::clock::in_words;
use super::findings::Finding;
use crate::config::{Config, TlsFiles};
use crate::server::certificate::{SOON, Validity, is_for};
use crate::server::{TlsError, TlsState, read_certificates};
use glassine_core::diagnostic::Causes;
use glassine_core::graph::BaseUrl;

const RENEW: &str = "renew the certificate and replace the file; a running proxy takes it without a restart";

/// `now` in seconds since 1970.
pub(super) fn check(config: &Config, now: i64) -> Vec<Finding> {
    let mut found = match config.tls() {
        Some(files) => listener(files, config.public_url(), now),
        None => vec![Finding::skip("listener", "plaintext, within this machine")],
    };
    let client_ca = config.tls().and_then(|files| files.client_ca.as_ref());
    found.extend(client_ca.map(|file| expiry("client CA", file.path(), now)));
    let own = config.consumers().iter().filter_map(|consumer| {
        Some((format!("application of {}", consumer.name()), consumer.application()?))
    });
    let shared = ("application".to_owned(), config.upstream().credential());
    found.extend(
        std::iter::once(shared)
            .chain(own)
            .filter_map(|(check, credential)| Some(expiry(&check, credential.certificate()?.path(), now))),
    );
    found.extend(config.upstream().ca().map(|file| expiry("upstream CA", file.path(), now)));
    found
}

/// When the first of a file's certificates expires.
fn expiry(check: &str, path: &Path, now: i64) -> Finding {
    match read_certificates(path) {
        Ok(certificates) => expiry_of(check, path, &certificates, now),
        Err(error) => unusable(check, &error),
    }
}

fn unusable(check: &str, error: &TlsError) -> Finding {
    Finding::fail(check, Causes(error).to_string(), "put the PEM file in its place, or correct its path")
}

fn listener(files: &TlsFiles, url: &BaseUrl, now: i64) -> Vec<Finding> {
    let path = files.certificate.path();
    let chain = match read_certificates(path) {
        Ok(chain) => chain,
        Err(error) => return vec![unusable("listener", &error)],
    };
    vec![expiry_of("listener", path, &chain, now), name(path, &chain, url), order(path, &chain), key(files)]
}

fn expiry_of(check: &str, path: &Path, certificates: &[CertificateDer<'_>], now: i64) -> Finding {
    let file = path.display();
    let words = |seconds: i64| in_words(seconds.unsigned_abs());
    match Validity::of(certificates, now) {
        Validity::Malformed => {
            Finding::fail(check, format!("{file}: a certificate in it is malformed"), RENEW)
        }
        Validity::From(begins) => {
            let message = format!("{file}: a certificate is not valid for another {}", words(begins - now));
            Finding::fail(check, message, "check the clock, or wait, or use another certificate")
        }
        Validity::Until(ends) => match ends - now {
            ..0 => Finding::fail(check, format!("{file}: ended {} ago", words(ends - now)), RENEW),
            0..SOON => Finding::warn(check, format!("{file}: ends in {}", words(ends - now)), RENEW),
            _ => Finding::ok(check, format!("{file}: ends in {}", words(ends - now))),
        },
    }
}

fn name(path: &Path, chain: &[CertificateDer<'_>], url: &BaseUrl) -> Finding {
    let (check, host) = ("listener's name", url.origin().host());
    if is_for(chain, host.without_brackets()) {
        return Finding::ok(check, format!("the certificate names {host}"));
    }
    let message =
        format!("{}: the certificate does not name {host}, the host of `public_url`", path.display());
    Finding::fail(
        check,
        message,
        format!("use a certificate with the subjectAltName {host}, or correct `public_url`"),
    )
}

fn order(path: &Path, chain: &[CertificateDer<'_>]) -> Finding {
    let check = "listener's chain";
    let parsed: Vec<_> = chain.iter().filter_map(|it| X509Certificate::from_der(it).ok()).collect();
    let follows = parsed.windows(2).all(|pair| match pair {
        [(_, one), (_, next)] => one.issuer() == next.subject(),
        _ => true,
    });
    if follows && parsed.len() == chain.len() {
        return Finding::ok(check, format!("certificates {}, each issued by the next", chain.len()));
    }
    let message = format!("{}: a certificate is not issued by the one after it", path.display());
    Finding::fail(
        check,
        message,
        "put the proxy's own certificate first, then its issuer's, and so on; leave the root out",
    )
}

fn key(files: &TlsFiles) -> Finding {
    let check = "listener's key";
    match TlsState::load(files) {
        Ok(_) => Finding::ok(check, "the key belongs to the certificate"),
        Err(error) => Finding::fail(
            check,
            Causes(&error).to_string(),
            "name the private key that the certificate was requested with",
        ),
    }
}
