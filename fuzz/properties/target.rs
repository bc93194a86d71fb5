//! A request target that parses has one canonical text, which parses to the same target, and every other spelling of it
//! (here: with every octet escaped) is the same target too.
//!
//! Endpoints are listed by what a target means. A spelling that means one thing here and another to Graph is a way around
//! the list.

use glassine_core::graph::Target;
use glassine_core::graph::target::{MAX_OPTIONS, MAX_SEGMENTS, MAX_TARGET};

use super::text;

/// See the module.
pub fn target(data: &[u8]) {
    let Some(raw) = text(data) else { return };
    match Target::parse(raw) {
        Ok(target) => has_one_text(&target),
        Err(error) => assert!(error.position() <= raw.len(), "{error}"),
    }
}

fn has_one_text(target: &Target) {
    assert!(target.segments.len() <= MAX_SEGMENTS && target.options.len() <= MAX_OPTIONS);
    let canonical = target.canonical();
    let version = format!("/{}", target.version.as_str());
    assert!(canonical.starts_with(&version), "{canonical}");
    reads_as(&canonical, target);
    reads_as(&format!("{version}{}", escaped(&canonical[version.len()..])), target);
}

/// An escape takes three octets, so a spelling may be too long where another is not.
fn reads_as(spelling: &str, target: &Target) {
    if spelling.len() <= MAX_TARGET {
        let again = Target::parse(spelling).unwrap_or_else(|error| panic!("{spelling}: {error}"));
        assert_eq!(again, *target, "{spelling}");
        assert_eq!(again.canonical(), target.canonical(), "{spelling}");
    }
}

/// Every octet escaped but those that structure a target, and those that are escapes.
fn escaped(canonical: &str) -> String {
    let mut bytes = canonical.bytes();
    let mut text = String::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'/' | b'?' | b'&' | b'=' => text.push(byte.into()),
            b'%' => text.extend(['%'].into_iter().chain(bytes.by_ref().take(2).map(char::from))),
            other => text.push_str(&format!("%{other:02x}")),
        }
    }
    text
}
