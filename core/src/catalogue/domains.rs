//! Domains that are no organisation's own: addresses there are strangers'.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::lines::{first, records};

/// Why addresses at a domain can be strangers'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Everybody can get a mailbox there: `gmail.com`.
    Provider,
    /// Everybody can register a domain below it: `co.uk`.
    Suffix,
}

#[derive(Debug, Default)]
pub(super) struct Domains {
    pub(super) providers: BTreeSet<&'static str>,
    /// Each with its label and its top-level domain: `co` and `uk`.
    pub(super) suffixes: BTreeSet<(&'static str, &'static str)>,
}

static DOMAINS: LazyLock<Domains> = LazyLock::new(|| {
    let mut domains = Domains::default();
    for (kind, rest) in records(include_str!("../../data/domains.txt")).map(first) {
        match kind {
            "provider" => domains.providers.extend(rest.split(' ')),
            "suffix" => {
                let (top, labels) = first(rest);
                domains.suffixes.extend(labels.split(' ').map(|label| (label, top)));
            }
            _ => {}
        }
    }
    domains
});

pub(super) fn domains() -> &'static Domains {
    &DOMAINS
}

/// Why addresses at the domain can be strangers'; `None` if nothing is known against it. The domain is in lower case and
/// A-labels.
pub fn shared(domain: &str) -> Option<Shared> {
    if domains().providers.contains(domain) {
        return Some(Shared::Provider);
    }
    // A name without a dot is a top-level domain.
    let Some(labels) = domain.split_once('.') else { return Some(Shared::Suffix) };
    domains().suffixes.contains(&labels).then_some(Shared::Suffix)
}
