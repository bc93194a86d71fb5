//! What leaves in place of a string.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Context, Violation, reply_depth};
use crate::pseudonym::{self, Pseudonyms, Reserved};
use crate::rules::plan::{Match, PseudonymKind, TimeUnit, Transform};

/// The result of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A JSON value was written.
    Written,
    /// The string is not of the kind that the transform is for; nothing was written.
    NotUnderstood,
}

/// Appends to `out` the JSON value that leaves in the place of the string `text`. A reversible token may leave its place
/// empty, as `reserved` notes. A link that cannot be followed is a [`Violation`].
pub(super) fn apply(
    transform: &Transform,
    text: &str,
    context: &Context,
    out: &mut Vec<u8>,
    reserved: &mut Reserved,
) -> Result<Outcome, Violation> {
    let keys = &*context.pseudonyms;
    Ok(match transform {
        Transform::Pseudonym(kind) => quoted(out, |out| pseudonym(*kind, text, keys, out)),
        Transform::Reversible(class) => quoted(out, |out| keys.reversible_later(*class, text, out, reserved)),
        Transform::Match(parts) => matched(parts, text, keys, out),
        Transform::Domain => quoted(out, |out| keys.domain(text, out)),
        Transform::Digest => digest(text, out),
        Transform::TruncateTime(unit) => optional(truncate_time(text, *unit), out),
        Transform::HashIp => quoted(out, |out| keys.ip(text, out)),
        Transform::ReplyDepth => number(reply_depth::of(text), out),
        // A list of headers is no string.
        Transform::Headers(_) => Outcome::NotUnderstood,
        Transform::Link(kind) => optional(Some(context.links.rewrite(text, *kind)?), out),
    })
}

/// Writes a token between quotes. Tokens need no escaping (docs/PSEUDONYMS.md). An empty value becomes null.
pub(super) fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> pseudonym::Outcome) -> Outcome {
    let start = out.len();
    out.push(b'"');
    let outcome = write(out);
    match outcome {
        pseudonym::Outcome::Written => out.push(b'"'),
        pseudonym::Outcome::Empty => {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
        pseudonym::Outcome::NotUnderstood => {
            out.truncate(start);
            return Outcome::NotUnderstood;
        }
    }
    Outcome::Written
}

fn optional(text: Option<String>, out: &mut Vec<u8>) -> Outcome {
    let start = out.len();
    match text.map(|text| serde_json::to_writer(&mut *out, &text)) {
        Some(Ok(())) => Outcome::Written,
        Some(Err(_)) | None => {
            out.truncate(start);
            Outcome::NotUnderstood
        }
    }
}

fn number(number: Option<usize>, out: &mut Vec<u8>) -> Outcome {
    let Some(number) = number else { return Outcome::NotUnderstood };
    out.extend_from_slice(number.to_string().as_bytes());
    Outcome::Written
}

pub(super) fn pseudonym(
    kind: PseudonymKind,
    text: &str,
    keys: &Pseudonyms,
    out: &mut Vec<u8>,
) -> pseudonym::Outcome {
    match kind {
        PseudonymKind::Email => keys.email(text, out),
        PseudonymKind::EmailList => keys.email_list(text, out),
        PseudonymKind::Id => keys.id(text, out),
        PseudonymKind::Thread => keys.thread(text, out),
        PseudonymKind::MessageId => keys.message_id(text, out),
        PseudonymKind::Text => keys.text(text, out),
    }
}

/// The kept group and the pseudonymised group, in the order of the value.
fn matched(parts: &Match, text: &str, keys: &Pseudonyms, out: &mut Vec<u8>) -> Outcome {
    let Some(captures) = parts.regex.captures(text) else {
        return Outcome::NotUnderstood;
    };
    let range = |group: &str| captures.name(group).map(|found| found.range());
    let keep = parts.keep.as_ref().and_then(|group| range(&group.name));
    let token = parts.pseudonymize.as_ref().and_then(|(group, kind)| Some((range(group)?, *kind)));
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    // A group that took no part in the match, or overlaps the other, is not what the author meant.
    if (keep.is_none() && parts.keep.is_some()) || (token.is_none() && parts.pseudonymize.is_some()) {
        return Outcome::NotUnderstood;
    }
    let mut value = Vec::new();
    let kept = keep.clone().and_then(|range| text.get(range)).unwrap_or_default();
    if parts.keep.as_ref().is_some_and(|group| group.words.find(kept).is_none()) {
        return Outcome::NotUnderstood;
    }
    match token {
        None => value.extend_from_slice(kept.as_bytes()),
        Some((range, _)) if keep.as_ref().is_some_and(|keep| overlap(keep, &range)) => {
            return Outcome::NotUnderstood;
        }
        Some((range, kind)) => {
            let before = keep.is_none_or(|keep| keep.start <= range.start);
            let original = text.get(range).unwrap_or_default();
            value.extend_from_slice(if before { kept.as_bytes() } else { b"" });
            if pseudonym(kind, original, keys, &mut value) != pseudonym::Outcome::Written {
                return Outcome::NotUnderstood;
            }
            value.extend_from_slice(if before { b"" } else { kept.as_bytes() });
        }
    }
    optional(String::from_utf8(value).ok(), out)
}

/// `{"length": characters, "words": runs of anything but white space}`.
fn digest(text: &str, out: &mut Vec<u8>) -> Outcome {
    let (length, words) = (text.chars().count(), text.split_whitespace().count());
    out.extend_from_slice(format!("{{\"length\":{length},\"words\":{words}}}").as_bytes());
    Outcome::Written
}

/// An RFC 3339 date-time, in UTC. Graph's `dateTime` without an offset stays without one.
fn truncate_time(text: &str, unit: TimeUnit) -> Option<String> {
    let truncated = |time: DateTime| Some(unit.truncate(time)?.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    if let Ok(instant) = text.parse::<Timestamp>() {
        return truncated(TimeZone::UTC.to_datetime(instant)).map(|time| time + "Z");
    }
    // jiff also reads a date alone as a date-time; that is not what a time property holds.
    let civil = text.parse::<DateTime>().ok().filter(|_| text.contains('T'))?;
    truncated(civil)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_truncated_in_utc() {
        for (text, unit, expected) in [
            ("2021-03-09T13:47:49Z", TimeUnit::Minute, "2021-03-09T13:47:00Z"),
            ("2021-03-09T13:47:49.123Z", TimeUnit::Hour, "2021-03-09T13:00:00Z"),
            ("2021-03-09T01:47:49+02:00", TimeUnit::Day, "2021-03-08T00:00:00Z"),
            ("2021-03-11T20:31:00.0000000", TimeUnit::Hour, "2021-03-11T20:00:00"),
        ] {
            assert_eq!(truncate_time(text, unit).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_not_understood() {
        for text in
            ["", "yesterday", "alice@contoso.com", "2021-13-01T00:00:00Z", "20:00:00.0000000", "2021-03-09"]
        {
            assert_eq!(truncate_time(text, TimeUnit::Hour), None, "{text}");
        }
    }

    #[test]
    fn a_digest_counts_characters_and_words() {
        let mut out = Vec::new();
        digest("grüße  an\talle", &mut out);
        assert_eq!(out, br#"{"length":14,"words":3}"#);
    }
}
