//! The times of OpenSSH's `valid-after` and `valid-before`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`: in UTC if a `Z` follows, else, as ssh-keygen does, in the time
/// zone of this machine.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let in_utc = text.strip_suffix(['Z', 'z']);
    let zone = if in_utc.is_some() { TimeZone::UTC } else { TimeZone::system() };
    let digits = in_utc.unwrap_or(text);
    let is_known = matches!(digits.len(), 8 | 12 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let time = DateTime::strptime("%Y%m%d%H%M%S", format!("{digits:0<14}")).ok().filter(|_| is_known)?;
    zone.to_ambiguous_zoned(time).compatible().ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn utc(text: &str) -> String {
        parse(text).unwrap_or_else(|| panic!("{text}")).to_string()
    }

    #[test]
    fn each_form_of_a_time_is_read() {
        assert_eq!(utc("20270131Z"), "2027-01-31T00:00:00Z");
        assert_eq!(utc("202701312359Z"), "2027-01-31T23:59:00Z");
        assert_eq!(utc("20270131235958z"), "2027-01-31T23:59:58Z");
        assert!(parse("20270131").is_some(), "in the machine's time zone");
    }

    #[test]
    fn everything_else_is_no_time() {
        for text in [
            "",
            "Z",
            "2027",
            "2027-01-31",
            "20271301Z",
            "20270230Z",
            "2027013124Z",
            "202701312460Z",
            "+0270131Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
