//! Dates and times, as OData and Graph write them (OData 4.01 ABNF, section 7; Edm.Date, Edm.TimeOfDay,
//! Edm.DateTimeOffset). Each function takes off what it reads and returns the rest.

/// The most digits of a fraction of a second.
const MAX_FRACTION: usize = 12;

/// Whether a text is what Graph writes for a time: `2026-11-26T08:30:00.1234567Z`, the same with another offset or, as in
/// `dateTimeTimeZone`, with none, `2026-11-26`, or `08:30:00`. The day exists.
#[inline]
pub(crate) fn is_time(text: &str) -> bool {
    let octets = text.as_bytes();
    match date(octets) {
        Some([]) => true,
        Some([b'T', time @ ..]) => clock(time).is_some_and(|offset| offset.is_empty() || is_offset(offset)),
        Some(_) => false,
        None => clock(octets).is_some_and(<[u8]>::is_empty),
    }
}

/// Whether a text is `YYYY-MM-DD`, a day that exists (RFC 3339 `full-date`).
pub(super) fn is_date(text: &str) -> bool {
    date(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// Whether a text is an RFC 3339 `date-time` in upper case, without leap seconds, which `Edm.DateTimeOffset` does not
/// have.
pub(super) fn is_date_time(text: &str) -> bool {
    let Some([b'T', time @ ..]) = date(text.as_bytes()) else { return false };
    clock(time).is_some_and(is_offset)
}

#[inline]
fn date(octets: &[u8]) -> Option<&[u8]> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = octets else { return None };
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let days = days_in(year, two_digits(*m1, *m2)?);
    (1..=days).contains(&two_digits(*d1, *d2)?).then_some(rest)
}

/// `hh:mm:ss`, and a fraction of a second if there is one.
#[inline]
fn clock(octets: &[u8]) -> Option<&[u8]> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = octets else { return None };
    let is_clock = two_digits(*h1, *h2)? < 24 && two_digits(*m1, *m2)? < 60 && two_digits(*s1, *s2)? < 60;
    match rest {
        _ if !is_clock => None,
        [b'.', fraction @ ..] => without_digits(fraction),
        rest => Some(rest),
    }
}

/// What comes behind the digits of a fraction.
fn without_digits(octets: &[u8]) -> Option<&[u8]> {
    let digits = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    (1..=MAX_FRACTION).contains(&digits).then(|| octets.get(digits..)).flatten()
}

#[inline]
fn is_offset(octets: &[u8]) -> bool {
    let is_below = |tens, ones, limit| two_digits(tens, ones).is_some_and(|number| number < limit);
    match octets {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => is_below(*h1, *h2, 24) && is_below(*m1, *m2, 60),
        _ => false,
    }
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u16> {
    let digit = |octet: u8| octet.is_ascii_digit().then(|| u16::from(octet - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

const fn days_in(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn what_graph_writes_is_a_time() {
        for text in [
            "2021-03-09T13:47:49Z",
            "2021-03-09T13:47:49.1234567Z",
            "2021-03-09T13:47:49.123456789012Z",
            "2021-03-09T13:47:49+05:30",
            "2021-03-09T13:47:49-08:00",
            "2021-03-11T20:00:00.0000000",
            "2021-03-11T20:00:00",
            "0001-01-01T00:00:00Z",
            "2024-02-29",
            "08:00:00.0000000",
            "08:00:00",
        ] {
            assert!(is_time(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "call me",
            "call me at 08:00:00",
            "2021-03-09T13:47:49Z, Alice",
            " 2021-03-09T13:47:49Z",
            "2021-03-09T13:47:49z",
            "2021-03-09t13:47:49Z",
            "2021-03-09 13:47:49Z",
            "2021-02-30T13:47:49Z",
            "2021-13-01",
            "2021-00-01",
            "2021-01-00",
            "2021-03-09T24:00:00Z",
            "2021-03-09T13:60:00Z",
            "2021-03-09T13:47:60Z",
            "2021-03-09T13:47Z",
            "2021-03-09T13:47:49.Z",
            "2021-03-09T13:47:49.1234567890123Z",
            "2021-03-09T13:47:49+24:00",
            "2021-03-09T13:47:49+0530",
            "2021-03-09T",
            "2021-03-09Z",
            "08:00:00Z",
            "08:00",
            "24:00:00",
            "PT8H",
            "２０２１-03-09",
            "20210309T134749Z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
