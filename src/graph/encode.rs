//! The one encoder: what was parsed, or what a plan asks for, back to a request target.

use super::segment::Segment;
use super::target::Version;

/// Writes a canonical origin-form target.
///
/// Of what [`Target::parse`](super::Target::parse) gave, this writes a text that parses to an equal target. For
/// segments from elsewhere: a key given as [`Segment::Key`] after a name is written `name('key')` and is read as a
/// key whatever it holds, while a [`Segment::Plain`] that spells a function, a cast or a `$` segment is read as that.
/// No value can add a segment or an option.
pub fn rebuild(version: Version, segments: &[Segment], options: &[(&str, &str)]) -> String {
    let mut target = format!("/{}", version.as_str());
    for segment in segments {
        push_segment(&mut target, segment);
    }
    for (index, (name, value)) in options.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        push_option(&mut target, name, value);
    }
    target
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3): one segment, whatever it holds.
pub fn path_segment(text: &str) -> String {
    percent_encode(text, b"")
}

/// Percent-encodes everything but the unreserved characters: one value, in which a space is `%20` and not `+`.
pub fn query_value(text: &str) -> String {
    percent_encode(text, b"")
}

fn push_segment(target: &mut String, segment: &Segment) {
    match segment {
        Segment::Cast(name) => target.extend(["/", &path_segment(name)]),
        Segment::Dollar(name) => target.extend(["/", &percent_encode(name, b"$")]),
        Segment::Function(call) => target.extend(["/", &percent_encode(call, b"()")]),
        Segment::Key(key) => target.extend(["('", &path_segment(&key.replace('\'', "''")), "')"]),
        Segment::Plain(text) => target.extend(["/", &path_segment(text)]),
    }
}

fn push_option(target: &mut String, name: &str, value: &str) {
    target.extend([&percent_encode(name, b"$"), "=", &query_value(value)]);
}

fn percent_encode(text: &str, also_kept: &[u8]) -> String {
    let is_kept =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || also_kept.contains(byte);
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    // What is kept is ASCII, so runs of it end between characters.
    while let Some((kept, other)) = rest.split_at_checked(rest.bytes().take_while(is_kept).count()) {
        encoded.push_str(kept);
        let mut characters = other.chars();
        let Some(character) = characters.next() else { break };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            encoded.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
        }
        rest = characters.as_str();
    }
    encoded
}

/// In upper case, as RFC 3986 section 2.1 wants it.
fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(path_segment("AAMk-._~09"), "AAMk-._~09");
        assert_eq!(path_segment("a/b+c=é;?#%&'()"), "a%2Fb%2Bc%3D%C3%A9%3B%3F%23%25%26%27%28%29");
        assert_eq!(query_value("a b&c=d+'x'"), "a%20b%26c%3Dd%2B%27x%27");
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
