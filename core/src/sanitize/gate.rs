//! The parts of an upstream response, besides JSON, that may leave: some header values, an error code, a count.

use httpdate::HttpDate;
use serde::Deserialize;

use super::{Clean, Raw, Violation};
use crate::catalogue::known_error_code;
use crate::graph::{Preference, prefer, without_byte_order_mark};

/// Returns the part of a header value that may leave: the whole value if it fits a grammar too narrow to carry data, or
/// the known elements of a list.
type Clears = fn(&str) -> Option<String>;

/// Response headers that may leave, each with the function that checks its value. All other headers are dropped.
///
/// `content-type`, `content-length`, `content-encoding` and `transfer-encoding` are not here: the proxy writes its own.
/// `request-id` is not here either: the response, its error body, the log and the audit share the proxy's own id.
const HEADERS: &[(&str, Clears)] = &[
    ("date", http_date),
    ("odata-version", short_number),
    ("preference-applied", known_preferences),
    ("ratelimit-limit", short_number),
    ("ratelimit-remaining", short_number),
    ("ratelimit-reset", short_number),
    ("retry-after", retry_after),
];

/// Bytes of the longest header value that may leave.
const MAX_HEADER: usize = 128;
/// Digits of the longest count that may leave. No real count has so many.
const MAX_COUNT_DIGITS: usize = 19;

/// The names of the headers that may leave, in lower case.
pub fn header_names() -> impl Iterator<Item = &'static str> {
    HEADERS.iter().map(|(name, _)| *name)
}

/// The part of a header's value that may leave. `name` is in lower case.
pub fn header(name: &str, value: Raw<&[u8]>) -> Option<Clean<String>> {
    let text = std::str::from_utf8(value.read()).ok().filter(|text| text.len() <= MAX_HEADER)?;
    let (_, clears) = HEADERS.iter().find(|(known, _)| *known == name)?;
    clears(text).map(Clean::assertion)
}

/// The `error.code` of an upstream error body, if it is one that this program knows. The message never leaves. Graph writes a
/// byte order mark before some errors.
pub fn error_code(body: Raw<&[u8]>) -> Option<Clean<&'static str>> {
    let body: ErrorResponse = serde_json::from_slice(without_byte_order_mark(body.read())).ok()?;
    known_error_code(&body.error.code).map(Clean::assertion)
}

/// Reads only the code. serde refuses a duplicate member.
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
/// [`Violation::NotACount`] if the body is not 1 to 19 digits.
pub fn count(body: Raw<&[u8]>) -> Result<Clean<Vec<u8>>, Violation> {
    // .NET writes a byte order mark before plain text.
    let digits = without_byte_order_mark(body.read());
    let is_count = (1..=MAX_COUNT_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_count { Ok(Clean::assertion(digits.to_vec())) } else { Err(Violation::NotACount) }
}

fn short_number(text: &str) -> Option<String> {
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    ((1..=12).contains(&text.len()) && text.bytes().all(is_number)).then(|| text.to_owned())
}

/// Seconds or a date (RFC 9110, 10.2.3). Graph may send fractions of a second.
fn retry_after(text: &str) -> Option<String> {
    short_number(text).or_else(|| http_date(text))
}

/// An IMF-fixdate (RFC 9110, 5.6.7) of a day that exists: `Sun, 06 Nov 1994 08:49:37 GMT`. The gate parses the date and
/// formats it again. A value that differs from the result could carry data, and does not leave.
fn http_date(text: &str) -> Option<String> {
    let written = text.parse::<HttpDate>().ok()?.to_string();
    (written == text).then_some(written)
}

/// The known preferences, formatted again, since Graph writes `IdType=ImmutableId` with and without quotes. Unknown
/// preferences are dropped.
fn known_preferences(text: &str) -> Option<String> {
    let known: Vec<_> = prefer::parse(text).ok()?.iter().map(Preference::to_string).collect();
    (!known.is_empty()).then(|| known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(name: &str, value: &str) -> Option<String> {
        header(name, Raw::new(value.as_bytes())).map(Clean::into_inner)
    }

    fn passes(name: &str, value: &str) -> bool {
        passed(name, value).as_deref() == Some(value)
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
            assert_eq!(passed(name, bad), None, "{name}: {bad}");
        }
    }

    /// The gate once had its own list, without `return=minimal`, `odata.track-changes` and unquoted `IdType`. One of
    /// these made it drop the whole header.
    #[test]
    fn every_known_preference_leaves_in_each_spelling_of_graph() {
        for (sent, leaves) in [
            ("IdType=ImmutableId", "IdType=\"ImmutableId\""),
            ("IdType=\"ImmutableId\"", "IdType=\"ImmutableId\""),
            ("odata.maxpagesize=50", "odata.maxpagesize=50"),
            ("maxpagesize=50", "odata.maxpagesize=50"),
            ("return=minimal", "return=minimal"),
            ("odata.track-changes", "odata.track-changes"),
            ("odata.track-changes,IdType=ImmutableId", "odata.track-changes, IdType=\"ImmutableId\""),
        ] {
            assert_eq!(passed("preference-applied", sent).as_deref(), Some(leaves), "{sent}");
        }
    }

    #[test]
    fn other_preferences_do_not_leave_and_neither_does_what_hangs_on_a_known_one() {
        for (sent, leaves) in [
            ("outlook.timezone=\"Alice's\"", None),
            ("IdType=\"alice\"", None),
            ("return=representation", None),
            ("odata.maxpagesize=alice", None),
            ("odata.track-changes=alice", None),
            ("return=minimal; note=alice", Some("return=minimal")),
            ("alice, return=minimal, respond-async", Some("return=minimal")),
            ("return=minimal, alice@contoso.com", None),
            ("", None),
        ] {
            assert_eq!(passed("preference-applied", sent).as_deref(), leaves, "{sent}");
        }
    }

    /// The canaries found this: any text with the length and the characters of a date could leave.
    #[test]
    fn a_text_of_the_length_of_a_date_does_not_leave() {
        for (name, value) in [
            ("date", "Dear Alice Smith of sales GMT"),
            ("date", "Sun, 06 Sue 1994 08:49:37 GMT"),
            ("date", "Sue, 06 Nov 1994 08:49:37 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT Sue"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT "),
            ("date", "Mon, 06 Nov 1994 08:49:37 GMT"),
            ("date", "Wed, 30 Feb 1994 08:49:37 GMT"),
            ("date", "Sun, 06 Nov 1994 25:49:37 GMT"),
            ("date", "Sun, 06 Nov 0000 08:49:37 GMT"),
            ("date", "Sunday, 06-Nov-94 08:49:37 GMT"),
            ("date", "Sun Nov  6 08:49:37 1994"),
            ("retry-after", "the merger is on 6 May 94 GMT"),
            ("request-id", "facadefacadefacadefacadefacadefacade"),
            ("request-id", "------------------------------------"),
        ] {
            assert_eq!(passed(name, value), None, "{name}: {value}");
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
            assert_eq!(passed(name, "17"), None, "{name}");
        }
    }

    #[test]
    fn an_error_code_leaves_if_it_is_known() {
        let code = |body: &str| error_code(Raw::new(body.as_bytes())).map(Clean::into_inner);
        assert_eq!(
            code(r#"{"error":{"code":"ErrorItemNotFound","message":"alice"}}"#).unwrap(),
            "ErrorItemNotFound"
        );
        let marked = "\u{FEFF}{\"error\":{\"code\":\"ErrorItemNotFound\"}}";
        assert_eq!(code(marked).unwrap(), "ErrorItemNotFound");
        for unknown in
            ["alice@contoso.com is unknown", "Alice.Smith-is-on-sick-leave", "erroritemnotfound", ""]
        {
            assert_eq!(code(&format!(r#"{{"error":{{"code":"{unknown}"}}}}"#)), None, "{unknown}");
        }
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
