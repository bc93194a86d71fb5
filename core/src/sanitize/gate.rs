//! What else of an upstream response may leave: some header values, an error's code, a count.

use serde::Deserialize;

use super::{Clean, Raw, Violation};
use crate::graph::is_plain_identifier;

/// Says whether a header's value is of its own grammar, and so carries nothing else.
type Accepts = fn(&str) -> bool;

/// Response headers that may leave, each with what its value may be. Everything else is dropped.
///
/// `content-type`, `content-length`, `content-encoding` and `transfer-encoding` are not here: the proxy writes its own.
/// Nor is `request-id`: the response, its error body, the log and the audit name one request by one id.
const HEADERS: &[(&str, Accepts)] = &[
    ("date", is_http_date),
    ("odata-version", is_short_number),
    ("preference-applied", is_known_preference),
    ("ratelimit-limit", is_short_number),
    ("ratelimit-remaining", is_short_number),
    ("ratelimit-reset", is_short_number),
    ("retry-after", is_retry_after),
];

/// The most characters of a header value that are looked at.
const MAX_HEADER: usize = 128;
/// More digits than any count has.
const MAX_COUNT_DIGITS: usize = 19;

/// The names of the headers that may leave, in lower case.
pub fn header_names() -> impl Iterator<Item = &'static str> {
    HEADERS.iter().map(|(name, _)| *name)
}

/// The header's value if it may leave. `name` is in lower case.
pub fn header(name: &str, value: Raw<&[u8]>) -> Option<Clean<String>> {
    let text = std::str::from_utf8(value.read()).ok().filter(|text| text.len() <= MAX_HEADER)?;
    let (_, accepts) = HEADERS.iter().find(|(known, _)| *known == name)?;
    accepts(text).then(|| Clean::assertion(text.to_owned()))
}

/// The `error.code` of an upstream error body, if it is a plain identifier. The message never leaves.
pub fn error_code(body: Raw<&[u8]>) -> Option<Clean<String>> {
    let body: ErrorResponse = serde_json::from_slice(body.read()).ok()?;
    is_plain_identifier(&body.error.code).then_some(Clean::assertion(body.error.code))
}

/// Reads nothing but the code. serde refuses a member that comes twice.
#[derive(Deserialize)]
struct ErrorResponse {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    code: String,
}

/// The number of a `/$count` response.
///
/// # Errors
///
/// [`Violation::NotACount`] if it is anything else than digits.
pub fn count(body: Raw<&[u8]>) -> Result<Clean<Vec<u8>>, Violation> {
    let bytes = body.read();
    // .NET writes a byte order mark before plain text.
    let digits = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let is_count = (1..=MAX_COUNT_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_count { Ok(Clean::assertion(digits.to_vec())) } else { Err(Violation::NotACount) }
}

fn is_short_number(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Seconds, which Graph may give as a fraction, or a date (RFC 9110, 10.2.3).
fn is_retry_after(text: &str) -> bool {
    is_short_number(text) || is_http_date(text)
}

/// An IMF-fixdate (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. Names are compared, since any other word in
/// their place could be data.
fn is_http_date(text: &str) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split(' ');
    let [day, date, month, year, time, zone] = [(); 6].map(|()| parts.next().unwrap_or_default());
    day.strip_suffix(',').is_some_and(|day| DAYS.contains(&day))
        && has_form(date, "00")
        && MONTHS.contains(&month)
        && has_form(year, "0000")
        && has_form(time, "00:00:00")
        && zone == "GMT"
        && parts.next().is_none()
}

/// Whether `text` has a digit for each `0` of the form, and is the same elsewhere.
fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// `odata.maxpagesize=N` and `IdType="ImmutableId"`, in any number and order.
fn is_known_preference(text: &str) -> bool {
    text.split(',').map(str::trim).all(|one| {
        one.eq_ignore_ascii_case("IdType=\"ImmutableId\"")
            || one.strip_prefix("odata.maxpagesize=").is_some_and(is_short_number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(name: &str, value: &str) -> bool {
        header(name, Raw::new(value.as_bytes())).is_some()
    }

    #[test]
    fn header_values_leave_only_in_their_own_grammar() {
        for (name, good, bad) in [
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 alice@contoso.com"),
            ("retry-after", "2.128", "2; user=alice"),
            ("preference-applied", "IdType=\"ImmutableId\", odata.maxpagesize=5", "outlook.timezone=\"x\""),
            ("ratelimit-remaining", "17", "17 of alice"),
            ("odata-version", "4.0", "four"),
        ] {
            assert!(passes(name, good), "{name}: {good}");
            assert!(!passes(name, bad), "{name}: {bad}");
        }
    }

    /// Found by the canaries: as long as a date, and of the same characters, was enough to leave.
    #[test]
    fn a_text_of_the_length_of_a_date_does_not_leave() {
        for (name, value) in [
            ("date", "Dear Alice Smith of sales GMT"),
            ("date", "Sun, 06 Sue 1994 08:49:37 GMT"),
            ("date", "Sue, 06 Nov 1994 08:49:37 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT Sue"),
            ("retry-after", "the merger is on 6 May 94 GMT"),
            ("request-id", "facadefacadefacadefacadefacadefacade"),
            ("request-id", "------------------------------------"),
        ] {
            assert!(!passes(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn other_headers_never_leave() {
        for name in [
            "request-id",
            "location",
            "set-cookie",
            "etag",
            "x-ms-ags-diagnostic",
            "x-ms-throttle-scope",
            "link",
        ] {
            assert!(!passes(name, "17"), "{name}");
        }
    }

    #[test]
    fn an_error_code_leaves_if_it_is_an_identifier() {
        let code = |body: &str| error_code(Raw::new(body.as_bytes())).map(Clean::into_inner);
        assert_eq!(
            code(r#"{"error":{"code":"ErrorItemNotFound","message":"alice"}}"#).unwrap(),
            "ErrorItemNotFound"
        );
        assert_eq!(code(r#"{"error":{"code":"alice@contoso.com is unknown"}}"#), None);
        assert_eq!(code(r#"{"error":{"code":{"a":1}}}"#), None);
        assert_eq!(code("<html>"), None);
    }

    #[test]
    fn a_count_is_digits() {
        let number = |body: &str| count(Raw::new(body.as_bytes())).map(Clean::into_inner);
        assert_eq!(number("42").unwrap(), b"42");
        assert_eq!(number("\u{FEFF}42").unwrap(), b"42");
        for bad in ["alice", "", "4 2", "-1", "12345678901234567890"] {
            assert_eq!(number(bad), Err(Violation::NotACount), "{bad}");
        }
    }
}
