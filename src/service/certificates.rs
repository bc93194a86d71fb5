//! When certificates end. What runs goes on running then, because whoever renews a certificate replaces its file. The metrics, the log
//! and `/readyz?verbose` say so.
//!
//! The listeners' certificate changes with a reload. That of an application is read again at each use, so a new file counts without
//! one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rustls_pki_types::CertificateDer;

use crate::config::{Config, FileRef};
use crate::file_system::Look;
use crate::metrics::CertificateEnds;
use crate::server::certificate::{SOON, Validity, end};
use crate::server::{TlsState, read_certificates};

/// How often files are read that did not change, in seconds: an end is known long before.
const PAUSE: i64 = 60;

/// Why certificates cannot be used at this moment.
pub(super) fn invalid(certificates: &[CertificateDer<'_>], now: Timestamp) -> Option<String> {
    match Validity::of(certificates, now.as_second()) {
        Validity::Malformed => Some("a certificate in it is malformed".to_owned()),
        Validity::From(begins) => {
            Some(format!("the certificate is not valid before {}; is the clock right?", moment(begins)))
        }
        Validity::Until(ends) if ends < now.as_second() => {
            Some(format!("the certificate ended on {}", moment(ends)))
        }
        Validity::Until(_) => None,
    }
}

/// When the first of these certificates ends, if that is soon and has not come.
pub(super) fn soon(certificates: &[CertificateDer<'_>], now: Timestamp) -> Option<String> {
    match Validity::of(certificates, now.as_second()) {
        Validity::Until(ends) if (0..SOON).contains(&(ends - now.as_second())) => {
            Some(format!("the certificate ends on {}", moment(ends)))
        }
        Validity::Until(_) | Validity::From(_) | Validity::Malformed => None,
    }
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

/// When the certificates end, for the metrics.
pub(super) fn ends(config: &Config, tls: Option<&TlsState>) -> CertificateEnds {
    let shared = config.upstream().credential();
    let credentials = config.consumers().iter().filter_map(|consumer| {
        let file = consumer.application().unwrap_or(shared).certificate()?;
        Some((consumer.name().into(), end(&read_certificates(file.path()).ok()?)?))
    });
    CertificateEnds { listener: tls.map(TlsState::end), credentials: credentials.collect() }
}

/// Looks at the certificates of a running service. Says in the log what is wrong with one, once a day.
#[derive(Default)]
pub(super) struct Watch {
    seen: Option<Seen>,
    told: BTreeSet<(String, String, Date)>,
}

/// When the files were read, and what they looked like.
struct Seen {
    at: i64,
    files: Vec<Option<Look>>,
}

impl Watch {
    /// Why a certificate is not valid, with its file. `None` in a `Some`: all are valid. `None`: no file changed, and it is too early
    /// to look again.
    pub(super) fn look(&mut self, config: &Config, now: Timestamp) -> Option<Option<String>> {
        // Before the files are read: a change meanwhile is seen at the next look.
        let files: Vec<_> = shown(config).map(|file| Look::at(file.path())).collect();
        let at = now.as_second();
        if self.seen.as_ref().is_some_and(|seen| at - seen.at < PAUSE && seen.files == files) {
            return None;
        }
        self.seen = Some(Seen { at, files });
        let mut trouble = None;
        for file in shown(config) {
            // A file that cannot be read is another error.
            let Ok(chain) = read_certificates(file.path()) else { continue };
            let name = file.path().display().to_string();
            if let Some(why) = invalid(&chain, now) {
                trouble.get_or_insert_with(|| format!("{name}: {why}"));
                self.tell(&name, &why, now, true);
            } else if let Some(why) = soon(&chain, now) {
                self.tell(&name, &why, now, false);
            }
        }
        Some(trouble)
    }

    /// After a reload, the files are looked at again at once.
    pub(super) fn expire(&mut self) {
        self.seen = None;
    }

    fn tell(&mut self, file: &str, reason: &str, now: Timestamp, is_invalid: bool) {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.told.retain(|(_, _, day)| *day == today);
        if !self.told.insert((file.to_owned(), reason.to_owned(), today)) {
            return;
        }
        if is_invalid {
            tracing::error!(file, reason, "a certificate is not valid");
        } else {
            tracing::warn!(file, reason, "a certificate ends soon");
        }
    }
}

/// The certificates that others verify: the listener's and those of applications.
fn shown(config: &Config) -> impl Iterator<Item = &FileRef> {
    let listener = config.tls().map(|tls| &tls.certificate);
    listener.into_iter().chain(config.credentials().filter_map(|credential| credential.certificate()))
}
