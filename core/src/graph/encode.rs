//! The only encoder: it writes request targets, from parsed ones or from what a plan requests.

use super::segment::Segment;
use super::target::Version;
use crate::hex;

/// Room for two ids and a `$select` of a dozen names.
const LIKELY_LENGTH: usize = 512;

/// Writes a canonical origin-form target.
///
/// The text of a parsed [`Target`](super::Target) parses to an equal target. Segments from elsewhere may be read
/// differently: a [`Segment::Plain`] that spells a function, a cast or a `$` segment is read as one. A [`Segment::Key`]
/// after a name is written `name('key')` and always read as a key. No value can add a segment or an option.
pub fn rebuild(version: Version, segments: &[Segment], options: &[(&str, &str)]) -> String {
    let mut target = String::with_capacity(LIKELY_LENGTH);
    target.extend(["/", version.as_str()]);
    for segment in segments {
        push_segment(&mut target, segment);
    }
    for (index, (name, value)) in options.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        push_encoded(&mut target, name, unreserved_or(b"$"));
        target.push('=');
        push_encoded(&mut target, value, is_unreserved);
    }
    target
}

/// Percent-encodes one value: everything but the unreserved characters. A space becomes `%20`, not `+`.
pub fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push_encoded(&mut encoded, text, is_unreserved);
    encoded
}

/// Percent-encodes spaces and what is not ASCII, as RFC 3987 section 3.1 does, and nothing else: the text is a URL in
/// which some characters are escaped already.
pub(super) fn raw_characters(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    push_encoded(&mut encoded, url, |byte| byte.is_ascii() && byte != b' ');
    encoded
}

fn push_segment(target: &mut String, segment: &Segment) {
    let (text, also_kept): (&str, &[u8]) = match segment {
        Segment::Cast(text) | Segment::Plain(text) => (text, b""),
        Segment::Dollar(text) => (text, b"$"),
        Segment::Function(text) => (text, b"()"),
        Segment::Key(key) => return push_key(target, key),
    };
    target.push('/');
    push_encoded(target, text, unreserved_or(also_kept));
}

fn push_key(target: &mut String, key: &str) {
    target.push_str("('");
    push_encoded(target, &key.replace('\'', "''"), is_unreserved);
    target.push_str("')");
}

/// Percent-encodes everything but what `is_kept`, which is ASCII.
fn push_encoded(target: &mut String, text: &str, is_kept: impl Fn(u8) -> bool) {
    let mut rest = text;
    // Kept bytes are ASCII, so a run of them ends between two characters.
    while let Some((kept, other)) = rest.split_at_checked(run(rest, &is_kept)) {
        target.push_str(kept);
        let mut characters = other.chars();
        let Some(character) = characters.next() else { break };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            target.extend(hex::escaped(byte));
        }
        rest = characters.as_str();
    }
}

/// How many bytes, from the first on, are of this kind.
fn run(text: &str, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !kind(byte)).unwrap_or(text.len())
}

fn unreserved_or(also_kept: &[u8]) -> impl Fn(u8) -> bool {
    |byte| is_unreserved(byte) || also_kept.contains(&byte)
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(query_value("AAMk-._~09"), "AAMk-._~09");
        assert_eq!(query_value("a/b+c=é;?#%&'()"), "a%2Fb%2Bc%3D%C3%A9%3B%3F%23%25%26%27%28%29");
        assert_eq!(query_value("a b&c=d+'x'"), "a%20b%26c%3Dd%2B%27x%27");
    }

    #[test]
    fn raw_characters_are_escaped_and_nothing_else() {
        for (url, escaped) in [
            ("/users?$filter=a eq 'b'", "/users?$filter=a%20eq%20'b'"),
            ("é\u{a0}\u{ff0f}\u{85}", "%C3%A9%C2%A0%EF%BC%8F%C2%85"),
            ("100%25 +\"<>{}|^`\\#\t\0", "100%25%20+\"<>{}|^`\\#\t\0"),
        ] {
            assert_eq!(raw_characters(url), escaped);
        }
    }

    #[test]
    fn a_target_is_written_canonically() {
        let segments = [
            Segment::Plain("users".to_owned()),
            Segment::Key("o'brien".to_owned()),
            Segment::Plain("a/b".to_owned()),
            Segment::Function("delta()".to_owned()),
            Segment::Dollar("$count".to_owned()),
        ];
        let options = [("$select", "id,from"), ("x", "1 2")];
        assert_eq!(
            rebuild(Version::Beta, &segments, &options),
            "/beta/users('o%27%27brien')/a%2Fb/delta()/$count?$select=id%2Cfrom&x=1%202"
        );
        assert_eq!(rebuild(Version::V1, &[], &[]), "/v1.0");
    }
}
