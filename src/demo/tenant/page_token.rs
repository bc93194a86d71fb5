//! The `$skiptoken` of the directory's lists. As in Entra, it holds the name and the id of the last object of the page,
//! and its length varies with the name. The proxy must hide both.
//!
//! ```text
//! 44 53 70 74 02 00 01 00 00 00 | length ':' name | length kind '_' id | B9 checksum¹⁰
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::rng::Rng;

/// `DSpt`, and a version.
const HEADER: [u8; 10] = [0x44, 0x53, 0x70, 0x74, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00];

/// What tokens tell about an object of the directory.
#[derive(Clone, Copy, Default)]
pub(super) struct Named<'a> {
    /// `User` or `Group`.
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    /// The user principal name, or the display name of a group.
    pub(super) name: &'a str,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}:{}", self.kind, self.id, self.name)
    }
}

/// The token of the page after `last`.
pub(super) fn after(seed: u64, last: Named<'_>) -> String {
    let (name, object) = (format!(":{}", last.name), format!("{}_{}", last.kind, last.id));
    let checksum: [u8; 10] = Rng::of(seed, &last.to_string(), &[]).bytes();
    let parts = [
        HEADER.as_slice(),
        &[length(&name)],
        name.as_bytes(),
        &[length(&object)],
        object.as_bytes(),
        &[0xB9],
        &checksum,
    ];
    URL_SAFE_NO_PAD.encode(parts.concat())
}

/// The start of the page that this token leads to. `None` unless it is the token of one of the items.
pub(super) fn opened<'n, T>(
    seed: u64,
    items: &[T],
    named: impl Fn(&T) -> Named<'n>,
    token: &str,
) -> Option<usize> {
    let last = items.iter().position(|item| after(seed, named(item)) == token)?;
    last.checked_add(1)
}

fn length(part: &str) -> u8 {
    u8::try_from(part.len()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &'static str) -> Named<'static> {
        Named { kind: "User", id, name: "a@b.example" }
    }

    #[test]
    fn a_token_leads_behind_its_object_in_its_own_list_and_tenant() {
        let items = ["1", "2", "3"];
        let opened = |seed, items: &[&'static str], token: &str| opened(seed, items, |id| user(id), token);
        let token = after(1, user("2"));
        assert_eq!(opened(1, &items, &token), Some(2));
        assert_eq!(opened(1, &items, &after(1, user("3"))), Some(3));
        assert_eq!(opened(1, &["1", "3"], &token), None);
        assert_eq!(opened(2, &items, &token), None);
        for forged in ["", "RFNwdAIAAQ", "bm90aGluZw", token.trim_start_matches('R'), &format!("{token}A")] {
            assert_eq!(opened(1, &items, forged), None, "{forged}");
        }
    }

    #[test]
    fn a_token_starts_as_entras_do_and_is_longer_for_longer_names() {
        let of = |name| after(1, Named { name, ..user("1") });
        assert!(of("a@b.example").starts_with("RFNwdAIAAQAAA"));
        let content = URL_SAFE_NO_PAD.decode(of("a@b.example")).unwrap();
        assert!(String::from_utf8_lossy(&content).contains("\u{c}:a@b.example\u{6}User_1"));
        assert!(of("a@b.example").len() < of("alice@b.example").len());
    }
}
