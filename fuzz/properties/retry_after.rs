//! A wait that is read is a number of seconds or a date, and nothing else: it stays the same as time passes, or becomes
//! shorter by just that time. Two fields are no wait.
//!
//! Whoever sends Graph's responses could otherwise hold requests for as long as it likes, or none at all.

use std::time::{Duration, SystemTime};

use glassine::upstream;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};

/// Between the dates that programs write.
const NOW: Duration = Duration::from_secs(1_800_000_000);
const LATER: Duration = Duration::from_secs(1_000);

/// See the module.
pub fn retry_after(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.append(RETRY_AFTER, value.clone());
    let at = |time: Duration| upstream::retry_after(&headers, SystemTime::UNIX_EPOCH + time);
    if let Some(wait) = at(NOW) {
        let later = at(NOW + LATER).expect("the same field");
        assert!(later == wait || later == wait.saturating_sub(LATER), "{wait:?}, and later {later:?}");
        // A `Duration` has whole nanoseconds, and an `f64` does not.
        let is_read = |seconds: f64| (seconds - wait.as_secs_f64()).abs() < 1e-6;
        let is_seconds = value.to_str().is_ok_and(|text| text.trim().parse().is_ok_and(is_read));
        assert!(is_seconds || wait.subsec_nanos() == 0, "{value:?}: {wait:?}");
    }
    headers.append(RETRY_AFTER, value);
    assert_eq!(upstream::retry_after(&headers, SystemTime::UNIX_EPOCH), None, "two fields");
}
