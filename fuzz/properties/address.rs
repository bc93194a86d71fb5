//! All spellings of an address have one token: in capitals, in brackets, after a name or a scheme, with its domain in
//! canonical form. A canonical domain is its own canonical form. Every token consists of the published alphabet only.
//!
//! Consumers join accounts by these tokens. A person with two tokens counts as two people. If a text that is not an
//! address passes unchanged, a name leaves in the clear.

use std::sync::LazyLock;

use glassine_core::pseudonym::{
    AddressPolicy, DomainMode, KeyRing, Outcome, OwnDomain, PlusTags, Pseudonyms, canonical_domain,
};

use super::text;
use crate::support::sanitizing::{CONSUMER, KEYS};

/// Pseudonyms for each mode of domains.
static MAKERS: LazyLock<Vec<Pseudonyms>> = LazyLock::new(|| {
    use DomainMode::{Drop, Keep, KeepListed, Pseudonymize};
    let ring = KeyRing::parse(KEYS).expect("the published keys");
    let maker = |(domains, plus_tags)| {
        let own =
            ["contoso.com", "*.contoso.com"].map(|domain| OwnDomain::parse(domain).expect("a domain")).into();
        ring.pseudonyms(CONSUMER, &AddressPolicy { domains, own, plus_tags })
    };
    [Keep, KeepListed, Pseudonymize, Drop].map(|mode| (mode, PlusTags::StripOwn)).map(maker).into()
});

/// See the module.
pub fn address(data: &[u8]) {
    let Some(raw) = text(data) else { return };
    domain_is_canonical(raw);
    list_is_of_the_alphabet(raw);
    let Some(token) = email(raw) else { return };
    is_a_token_and_a_domain(&token);
    all_modes_agree(raw, &token);
    assert_eq!(email(&format!(" \u{feff}{raw}\u{200b}\r\n")), Some(token.clone()), "white space around it");
    if let Some((_, domain)) = token.split_once('@') {
        other_spellings_are_one(raw, domain, &token);
    }
}

fn domain_is_canonical(raw: &str) {
    if let Some(domain) = canonical_domain(raw) {
        assert!(is_plain(&domain), "{domain}");
        assert_eq!(canonical_domain(&domain).as_ref(), Some(&domain));
        assert_eq!(canonical_domain(&domain.to_uppercase()).as_ref(), Some(&domain));
    }
}

fn list_is_of_the_alphabet(raw: &str) {
    let list = written(|out| MAKERS[0].email_list(raw, out)).unwrap_or_default();
    list.split(", ").filter(|token| !token.is_empty()).for_each(is_a_token_and_a_domain);
}

fn is_a_token_and_a_domain(token: &str) {
    let (token, domain) = token.split_once('@').unwrap_or((token, "none"));
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let tag = token.strip_prefix("t~A").unwrap_or_else(|| panic!("{token}"));
    assert!(tag.len() == 32 && tag.bytes().all(is_base64url), "{token}");
    assert!(is_plain(domain), "{domain}");
}

fn is_plain(domain: &str) -> bool {
    domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}

fn all_modes_agree(raw: &str, token: &str) {
    let tag = |token: &str| token.split('@').next().map(str::to_owned);
    for maker in &*MAKERS {
        assert_eq!(written(|out| maker.email(raw, out)).as_deref().and_then(tag), tag(token), "{raw}");
    }
}

/// Checks that other spellings of a valid address have the same token.
fn other_spellings_are_one(raw: &str, domain: &str, token: &str) {
    assert_eq!(canonical_domain(domain).as_deref(), Some(domain));
    let same =
        |spelling: String| assert_eq!(email(&spelling).as_deref(), Some(token), "{spelling} is not {raw}");
    // Beyond ASCII, changing case can make another letter: a capital I and a combining dot above compose to `İ`.
    if raw.is_ascii() {
        same(raw.to_ascii_uppercase());
        same(raw.to_ascii_lowercase());
    }
    // The domain of a guest is not the one that stands behind the `@` of the guest's name.
    if !raw.contains(['<', '>', '"', ':', '\\', '#']) {
        same(format!("Doe, J <{raw}>"));
        same(format!("<mailto:{raw}>"));
        same(format!("SMTP:{raw}"));
        let (local, _) = raw.rsplit_once('@').expect("an address that is understood");
        same(format!("{local}@{domain}"));
        same(format!("{local}@{domain}."));
    }
}

fn email(raw: &str) -> Option<String> {
    written(|out| MAKERS[0].email(raw, out))
}

/// The written token, which is not empty. `None` if nothing was written.
fn written(make: impl Fn(&mut Vec<u8>) -> Outcome) -> Option<String> {
    let mut out = Vec::new();
    let outcome = make(&mut out);
    assert_eq!(outcome == Outcome::Written, !out.is_empty());
    assert_ne!(outcome, Outcome::NotUnderstood);
    (outcome == Outcome::Written).then(|| String::from_utf8(out).expect("a token is text"))
}
