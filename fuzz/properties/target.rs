//! A parsed request target has one canonical text, which parses to the same target. Another spelling (here: with every
//! octet escaped) parses to the same target, too.
//!
//! The rules list endpoints by the meaning of targets. A spelling that the proxy and Graph understand differently would
//! bypass the rules.

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

/// Skips a spelling that is too long: an escape takes three octets.
fn reads_as(spelling: &str, target: &Target) {
    if spelling.len() <= MAX_TARGET {
        let again = Target::parse(spelling).unwrap_or_else(|error| panic!("{spelling}: {error}"));
        assert_eq!(again, *target, "{spelling}");
        assert_eq!(again.canonical(), target.canonical(), "{spelling}");
    }
}

/// Escapes every octet except delimiters and existing escapes.
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
