//! `Retry-After`: how long a server asks to wait (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use httpdate::HttpDate;

/// The most digits of whole seconds: more than a year has.
const MAX_DIGITS: usize = 8;

/// The time that a response asks to wait, from `now` on: whole seconds, or a date in each of HTTP's three forms. Graph also
/// sends fractions of a second. A date that is over asks to wait no longer. `None` if there is no such field, or not one that
/// can be read.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    seconds(text).or_else(|| {
        let date: HttpDate = text.parse().ok()?;
        Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
    })
}

/// `2` or `2.128`.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| {
        !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (is_digits(whole) && is_digits(fraction)).then(|| text.parse().ok().map(Duration::from_secs_f64))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 784_111_777;

    fn wait(values: &[&str]) -> Option<f64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        retry_after(&headers, now).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn seconds_fractions_and_dates_are_read() {
        for (value, expected) in [
            ("0", 0.0),
            ("2", 2.0),
            ("120", 120.0),
            ("2.128", 2.128),
            ("99999999", 99_999_999.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
            ("Sun, 06 Nov 1994 08:49:39 GMT", 2.0),
            ("Sunday, 06-Nov-94 08:49:39 GMT", 2.0),
            ("Sun Nov  6 08:49:39 1994", 2.0),
            ("Sun, 06 Nov 1994 08:49:30 GMT", 0.0),
        ] {
            assert_eq!(wait(&[value]), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_wait_is_none() {
        for values in [
            &[][..],
            &[""],
            &["-1"],
            &["+1"],
            &["1e3"],
            &["1 s"],
            &["inf"],
            &["NaN"],
            &[".5"],
            &["1."],
            &["1.2.3"],
            &["999999999"],
            &["0x10"],
            &["soon"],
            &["Sun, 06 Nov 1994"],
            &["1", "2"],
        ] {
            assert_eq!(wait(values), None, "{values:?}");
        }
    }
}
