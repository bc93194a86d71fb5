//! The tenant's own domains: how an operator writes them, and which domains they are.

use std::collections::BTreeSet;
use std::fmt;

use super::address::canonical_domain;

/// What stands before the name of a domain in place of a domain's labels.
const WILDCARD: &str = "*.";

/// One entry of a list of own domains: `contoso.com` is that domain alone, `*.contoso.com` every domain below it, at any
/// depth. Neither is a part of the other, because a host of a website and the domain of the staff's mailboxes are not the
/// same decision. Whoever means both writes both.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct OwnDomain {
    /// Invariant: in canonical form, with a dot.
    name: String,
    is_wildcard: bool,
}

/// The text is neither a domain nor a wildcard below one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a domain such as contoso.com, or *.contoso.com for every domain below it")]
pub struct NotADomain;

impl OwnDomain {
    /// Reads an entry, in U-labels or A-labels and any case.
    ///
    /// # Errors
    ///
    /// [`NotADomain`] if a name is not a domain of two labels or more: `*`, `*.com`, `*contoso.com`, `@contoso.com` and
    /// `contoso.com.` are none.
    pub fn parse(text: &str) -> Result<Self, NotADomain> {
        let below = text.strip_prefix(WILDCARD);
        let name = canonical_domain(below.unwrap_or(text)).ok_or(NotADomain)?;
        if text.ends_with('.') || !name.contains('.') {
            return Err(NotADomain);
        }
        Ok(Self { name, is_wildcard: below.is_some() })
    }

    /// The domain, or the one that all are below. In lower case and A-labels.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the entry means the domains below [`Self::name`], and not that one.
    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// Whether each domain that `other` means is one that this entry means, too.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || (self.is_wildcard && parents(&other.name).any(|parent| parent == self.name))
    }
}

/// As it is written, in canonical form.
impl fmt::Display for OwnDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_wildcard { WILDCARD } else { "" })?;
        f.write_str(&self.name)
    }
}

/// The entries of a list, ready for questions.
#[derive(Debug, Default)]
pub(super) struct OwnDomains {
    exact: BTreeSet<String>,
    parents: BTreeSet<String>,
}

impl OwnDomains {
    pub(super) fn new(entries: &[OwnDomain]) -> Self {
        let names = |is_wildcard| {
            let entries = entries.iter().filter(move |entry| entry.is_wildcard == is_wildcard);
            entries.map(|entry| entry.name.clone()).collect()
        };
        Self { exact: names(false), parents: names(true) }
    }

    /// Whether a domain in canonical form is one of the tenant's.
    pub(super) fn contains(&self, domain: &str) -> bool {
        self.exact.contains(domain)
            || (!self.parents.is_empty() && parents(domain).any(|parent| self.parents.contains(parent)))
    }
}

/// The domains that this one is below, the nearest first.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(domain), |domain| parent(domain))
}

fn parent(domain: &str) -> Option<&str> {
    domain.split_once('.').map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> OwnDomain {
        OwnDomain::parse(text).unwrap()
    }

    #[test]
    fn entries_have_one_canonical_form() {
        for (text, canonical) in [
            ("Contoso.COM", "contoso.com"),
            ("*.Contoso.COM", "*.contoso.com"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("*.xn--bcher-kva.example", "*.xn--bcher-kva.example"),
        ] {
            assert_eq!(entry(text).to_string(), canonical);
        }
    }

    #[test]
    fn what_would_be_everybodys_is_no_entry() {
        let bad = [
            "",
            "*",
            "*.",
            ".",
            "*.com",
            "*.com.",
            "com",
            "*contoso.com",
            "*.*.contoso.com",
            "a.*.contoso.com",
            "contoso.*",
            "@contoso.com",
            "*.@contoso.com",
            "contoso.com.",
            "*..contoso.com",
            "*.a b.com",
        ];
        for text in bad {
            assert_eq!(OwnDomain::parse(text), Err(NotADomain), "{text}");
        }
    }

    #[test]
    fn a_wildcard_means_what_is_below_and_nothing_else() {
        let own = OwnDomains::new(&[entry("*.contoso.com"), entry("fabrikam.example")]);
        for domain in ["mail.contoso.com", "a.b.c.contoso.com", "fabrikam.example"] {
            assert!(own.contains(domain), "{domain}");
        }
        for domain in
            ["contoso.com", "evilcontoso.com", "contoso.com.evil.example", "com", "mail.fabrikam.example"]
        {
            assert!(!own.contains(domain), "{domain}");
        }
    }

    #[test]
    fn an_entry_covers_what_it_means() {
        for (wider, narrower) in [
            ("*.contoso.com", "mail.contoso.com"),
            ("*.contoso.com", "*.mail.contoso.com"),
            ("contoso.com", "contoso.com"),
        ] {
            assert!(entry(wider).covers(&entry(narrower)), "{wider} {narrower}");
        }
        for (one, other) in [
            ("*.contoso.com", "contoso.com"),
            ("contoso.com", "*.contoso.com"),
            ("*.a.example", "*.example.com"),
        ] {
            assert!(!entry(one).covers(&entry(other)), "{one} {other}");
        }
    }
}
