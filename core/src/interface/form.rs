//! In which form a single value leaves: its kind, its words, and the pattern of tokens (docs/PSEUDONYMS.md).

use std::borrow::Cow;

use regex_syntax::hir::{Capture, HirKind};

use crate::pseudonym::DomainMode;
use crate::rules::automaton::Leaf;
use crate::rules::plan::{
    FLAG, HEADER_NAME, HEADER_VALUE, Headers, Kept, Match, PseudonymKind, Transform, Words,
};

/// A key id, and the 32 characters of a MAC.
const TAG: &str = "[A-Za-z0-9_-]{33}";

/// A domain in A-labels.
const DOMAIN: &str = "[a-z0-9._-]+";

/// The token of an id that later requests can use: a key id, and at least the 86 characters of the shortest sealed value.
pub(super) const REVERSIBLE: &str = "p~[A-Za-z0-9_-]{87,}";

/// One form in which a single value leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) kind: Kind,
    /// What leaves, in plain words: `the address as a pseudonym`. `None` if the kind says it.
    pub(super) says: Option<Cow<'static, str>>,
}

/// The kinds of single values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A date, a time, or both.
    Time,
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text that this expression matches as a whole. It has no groups with names and no flags, so that ECMA-262 reads it too.
    Matches(String),
    /// A text from a list that is too long to write down.
    Text,
    /// Any string, number or boolean, as Graph writes it.
    Written,
    /// `{"length": …, "words": …}`.
    Digest,
    /// A link to this proxy.
    Link,
}

impl Form {
    /// The form of what leaves here; `None` if nothing does. `domains`: how domains of addresses leave.
    pub(super) fn of(leaf: &Leaf, domains: DomainMode) -> Option<Self> {
        match leaf {
            Leaf::Drop => None,
            Leaf::Keep(kept) => {
                let is_clear = !matches!(kept, Kept::TimeZone(_) | Kept::Text);
                Some(Self { kind: kept_kind(kept), says: (!is_clear).then(|| kept.in_words()) })
            }
            Leaf::Transform(transform) => {
                Some(Self { kind: kind(transform, domains)?, says: Some(transform.in_words()) })
            }
        }
    }
}

fn kept_kind(kept: &Kept) -> Kind {
    match kept {
        Kept::Time => Kind::Time,
        Kept::Boolean => Kind::Boolean,
        Kept::Number => Kind::Number,
        Kept::OneOf(words) => Kind::OneOf(texts(words)),
        Kept::TimeZone(_) => Kind::Text,
        Kept::Text => Kind::Written,
    }
}

fn kind(transform: &Transform, domains: DomainMode) -> Option<Kind> {
    Some(match transform {
        Transform::Pseudonym(kind) => Kind::Matches(token(*kind, domains)),
        Transform::Reversible(_) => Kind::Matches(REVERSIBLE.to_owned()),
        Transform::Match(parts) => matched(parts, domains),
        Transform::Domain => Kind::Matches(domain(domains)?),
        Transform::Digest => Kind::Digest,
        Transform::ReplyDepth => Kind::Number,
        // A list is no single value: see `header`.
        Transform::Headers(_) => return None,
        Transform::TruncateTime(_) => Kind::Time,
        Transform::HashIp => Kind::Matches(format!("t~{TAG}")),
        Transform::Link(_) => Kind::Link,
    })
}

/// The name and the value of each header that leaves of a list.
pub(super) fn header(headers: &Headers, domains: DomainMode) -> [(&'static str, Form); 2] {
    let names = headers.names().map(str::to_owned).collect();
    let of_kind = |kind| match kind {
        PseudonymKind::MessageId => format!("t~{TAG}(?: t~{TAG})*"),
        other => token(other, domains),
    };
    let mut patterns: Vec<_> = headers.tokens().map(|(_, kind)| of_kind(kind)).collect();
    let has_flags = headers.names().count() > patterns.len();
    patterns.extend(has_flags.then(|| FLAG.to_owned()));
    patterns.sort();
    patterns.dedup();
    let value = Kind::Matches(format!("(?:{})", patterns.join("|")));
    [
        (HEADER_NAME, Form { kind: Kind::OneOf(names), says: None }),
        (HEADER_VALUE, Form { kind: value, says: Some(headers.in_words()) }),
    ]
}

fn texts(words: &Words) -> Vec<String> {
    words.texts().map(str::to_owned).collect()
}

fn token(kind: PseudonymKind, domains: DomainMode) -> String {
    let address =
        || format!("t~{TAG}{}", domain(domains).map(|it| format!("(?:@{it})?")).unwrap_or_default());
    match kind {
        PseudonymKind::Email => address(),
        PseudonymKind::EmailList => format!("{0}(?:, {0})*", address()),
        PseudonymKind::Id | PseudonymKind::Thread | PseudonymKind::MessageId | PseudonymKind::Text => {
            format!("t~{TAG}")
        }
    }
}

/// What leaves of a domain; `None` if nothing does.
fn domain(domains: DomainMode) -> Option<String> {
    match domains {
        DomainMode::Keep => Some(DOMAIN.to_owned()),
        DomainMode::KeepListed => Some(format!("(?:d~{TAG}|{DOMAIN})")),
        DomainMode::Pseudonymize => Some(format!("d~{TAG}")),
        DomainMode::Drop => None,
    }
}

/// The kept text and the token, in the order of the value.
fn matched(Match { regex, keep, pseudonymize }: &Match, domains: DomainMode) -> Kind {
    let kept = keep.as_ref().map(|group| texts(&group.words));
    let token = pseudonymize.as_ref().map(|(_, kind)| token(*kind, domains));
    match (kept, token) {
        (kept, None) => Kind::OneOf(kept.unwrap_or_default()),
        (None, Some(token)) => Kind::Matches(token),
        (Some(kept), Some(token)) => {
            let kept: Vec<_> = kept.iter().map(|text| literally(text)).collect();
            let kept = format!("(?:{})", kept.join("|"));
            Kind::Matches(match first_group(regex.as_str()) {
                Some(first) if keep.as_ref().is_some_and(|group| group.name == first) => {
                    format!("{kept}{token}")
                }
                Some(_) => format!("{token}{kept}"),
                None => format!("(?:{kept}{token}|{token}{kept})"),
            })
        }
    }
}

/// The group that is first in every value; `None` if that depends on the value.
fn first_group(regex: &str) -> Option<String> {
    let hir = regex_syntax::parse(regex).ok()?;
    let HirKind::Concat(parts) = hir.kind() else { return None };
    parts.iter().find_map(|part| match part.kind() {
        HirKind::Capture(Capture { name: Some(name), .. }) => Some(name.to_string()),
        _ => None,
    })
}

/// The text as an expression. Only ECMA-262's syntax characters are escaped: its Unicode mode refuses other escapes.
fn literally(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"^$\.*+?()[]{}|/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, OwnDomain, Pseudonyms};

    const MODES: [DomainMode; 4] =
        [DomainMode::Keep, DomainMode::KeepListed, DomainMode::Pseudonymize, DomainMode::Drop];

    fn keys(domains: DomainMode) -> Pseudonyms {
        let master = Sha256::digest("a key of a test").into();
        let ring = KeyRing::render_new(&master, 'T', "2026-01-01T00:00:00Z");
        let own = vec![OwnDomain::parse("contoso.com").unwrap()];
        let policy = AddressPolicy { domains, own, ..AddressPolicy::default() };
        KeyRing::parse(&ring).unwrap().pseudonyms("acme", &policy)
    }

    fn made(write: impl FnOnce(&mut Vec<u8>) -> Outcome) -> Option<String> {
        let mut out = Vec::new();
        (write(&mut out) == Outcome::Written).then(|| String::from_utf8(out).unwrap())
    }

    fn fits(pattern: &str, text: &str) -> bool {
        Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(text)
    }

    #[test]
    fn tokens_fit_their_pattern_and_what_they_stand_for_does_not() {
        const ADDRESSES: [&str; 4] =
            ["alice@contoso.com", "bob@fabrikam.example", "jose@bücher.example", "Alice"];
        for domains in MODES {
            let keys = keys(domains);
            for address in ADDRESSES {
                let token = made(|out| keys.email(address, out)).unwrap();
                let pattern = super::token(PseudonymKind::Email, domains);
                assert!(fits(&pattern, &token), "{pattern}: {token}");
                assert!(!fits(&pattern, address) && !fits(&pattern, &format!("{token} ")), "{pattern}");
                let domain = made(|out| keys.domain(address, out));
                let expected = super::domain(domains);
                if let Some(domain) = domain {
                    assert!(fits(&expected.unwrap(), &domain), "{domain}");
                }
            }
            let list = made(|out| keys.email_list("a@contoso.com, B <b@x.example>; C", out)).unwrap();
            assert!(fits(&super::token(PseudonymKind::EmailList, domains), &list), "{list}");
        }
    }

    #[test]
    fn ids_of_every_length_fit_the_pattern_of_a_reversible_token() {
        let keys = keys(DomainMode::Drop);
        for length in [1, 36, 68, 120, 152, 700] {
            let id = "A".repeat(length);
            let token = made(|out| keys.reversible(Class::Id, &id, out)).unwrap();
            assert!(fits(REVERSIBLE, &token), "{token}");
            assert!(!fits(REVERSIBLE, &id) && !fits(REVERSIBLE, &token.replace("p~", "t~")));
        }
    }

    #[test]
    fn the_first_group_is_known_where_no_value_can_turn_it() {
        for (regex, first) in [
            ("^(?:(?<a>x|y)(?<b>.+))$", Some("a")),
            ("^(?:z(?<b>.+):(?<a>x))$", Some("b")),
            ("^(?:(?:(?<a>x)|(?<b>.))+)$", None),
        ] {
            assert_eq!(first_group(regex).as_deref(), first, "{regex}");
        }
    }

    #[test]
    fn a_kept_text_stands_for_itself() {
        assert!(fits(&literally("SMTP:"), "SMTP:"));
        assert!(fits(&literally("a.b(c)|d"), "a.b(c)|d"));
        assert!(!fits(&literally("a.b"), "axb"));
    }
}
