//! This machine's clock against the `Date` of a server's response (RFC 9110 section 6.6.1).

use http::HeaderMap;
use http::header::DATE;
use httpdate::HttpDate;
use jiff::Timestamp;

/// From this difference on, in seconds, a clock is called wrong. A request takes some seconds itself, and Entra tolerates five
/// minutes.
pub(crate) const WRONG_CLOCK: u64 = 60;

/// How many seconds `now` is ahead of the server's `Date`. `None` if the response has none that can be read.
pub(crate) fn clock_ahead(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let theirs: HttpDate = headers.get(DATE)?.to_str().ok()?.parse().ok()?;
    let theirs = Timestamp::try_from(std::time::SystemTime::from(theirs)).ok()?;
    Some(now.as_second() - theirs.as_second())
}
