//! A self-signed TLS certificate for a start. A certificate of an authority takes its place later, in the same files.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{CertificateParams, DnType, Error, KeyPair, date_time_ymd};
use zeroize::Zeroizing;

/// Long enough for a trial, and short enough that clients accept it: some refuse certificates of more than 398 days. `doctor`
/// warns a month before the end.
const DAYS: i64 = 397;

/// A certificate and its private key (PEM).
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

/// A certificate for `host`, which has no brackets, and for this machine.
pub(super) fn self_signed(host: &str) -> Result<Pair, Error> {
    let mut names = vec![host.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    names.sort();
    names.dedup();
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name.push(DnType::CommonName, "Glassine, self-signed for a start");
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let at = |date: Date| date_time_ymd(date.year().into(), part(date.month()), part(date.day()));
    // Clocks of consumers may be behind.
    parameters.not_before = at(today.saturating_sub(1.day()));
    parameters.not_after = at(today.saturating_add(DAYS.days()));
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?.pem();
    Ok(Pair { certificate, key: Zeroizing::new(key.serialize_pem()) })
}

/// A month or a day of a month.
fn part(number: i8) -> u8 {
    u8::try_from(number).unwrap_or(1)
}
