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

/// `YYYY-MM-DD`.
#[inline]
fn date(octets: &[u8]) -> Option<&[u8]> {
    let (start, rest) = octets.split_first_chunk()?;
    let [d1, d2, rest @ ..] = rest else { return None };
    let start = u64::from_le_bytes(*start);
    let (month, day) = (two(start, 5), number(*d1, *d2)?);
    let exists = day <= SHORTEST_MONTH || day <= days_in(two(start, 0) * 100 + two(start, 2), month);
    (DATE.fits(start) && (1..=12).contains(&month) && day >= 1 && exists).then_some(rest)
}

/// `hh:mm:ss`, and a fraction of a second if there is one.
#[inline]
fn clock(octets: &[u8]) -> Option<&[u8]> {
    let (clock, rest) = octets.split_first_chunk()?;
    let clock = u64::from_le_bytes(*clock);
    let is_below = two(clock, 0) < 24 && two(clock, 3) < 60 && two(clock, 6) < 60;
    match rest {
        _ if !is_below || !CLOCK.fits(clock) => None,
        [b'.', fraction @ ..] => without_digits(fraction),
        rest => Some(rest),
    }
}

/// Eight octets, some of them digits. A response has thousands of times, so all octets are looked at together.
struct Form {
    /// The octets, with zero for each digit.
    text: u64,
    /// 0xff for each octet that is no digit.
    marks: u64,
}

const DATE: Form = Form::new(b"0000-00-", [0, 0, 0, 0, 0xff, 0, 0, 0xff]);
const CLOCK: Form = Form::new(b"00:00:00", [0, 0, 0xff, 0, 0, 0xff, 0, 0]);

impl Form {
    const fn new(text: &[u8; 8], marks: [u8; 8]) -> Self {
        Self { text: u64::from_le_bytes(*text), marks: u64::from_le_bytes(marks) }
    }

    #[inline]
    const fn fits(&self, octets: u64) -> bool {
        const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
        const HIGH: u64 = u64::from_ne_bytes([0xf0; 8]);
        const SIX: u64 = u64::from_ne_bytes([6; 8]);
        let digits = (octets & !self.marks) | (ZEROS & self.marks);
        // A digit is 0x30 to 0x39: six more leave its high half as it is. None of 0x30 to 0x3f carries into the next octet.
        octets & self.marks == self.text & self.marks
            && digits & HIGH == ZEROS
            && (digits + SIX) & HIGH == ZEROS
    }
}

/// The number that two digits of eight octets make, from the digit at this place on.
#[inline]
const fn two(octets: u64, at: u32) -> u16 {
    let digits = octets >> (8 * at);
    ((digits & 0xf) * 10 + (digits >> 8 & 0xf)) as u16
}

#[inline]
fn number(tens: u8, ones: u8) -> Option<u16> {
    let digit = |octet: u8| octet.is_ascii_digit().then(|| u16::from(octet - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// What comes behind the digits of a fraction.
fn without_digits(octets: &[u8]) -> Option<&[u8]> {
    let digits = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    (1..=MAX_FRACTION).contains(&digits).then(|| octets.get(digits..)).flatten()
}

#[inline]
fn is_offset(octets: &[u8]) -> bool {
    let is_below = |tens, ones, limit| number(tens, ones).is_some_and(|number| number < limit);
    match octets {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => is_below(*h1, *h2, 24) && is_below(*m1, *m2, 60),
        _ => false,
    }
}

/// The days that every month has.
const SHORTEST_MONTH: u16 = 28;

const fn days_in(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => SHORTEST_MONTH,
        _ => 31,
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
            "2021/03/09",
            "2021-0:-09",
            "202/-03-09",
            "2021-03-0:",
            "\u{b0}21-03-09",
            "08:00:0:",
            "0/:00:00",
            "08;00:00",
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
