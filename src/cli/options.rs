//! Options that several commands have.

use clap::ValueEnum;

use glassine_core::pseudonym::{AddressPolicy, canonical_domain};
use glassine_core::rules::Plan;

/// Where Microsoft Graph is, unless it is a national cloud's.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";

/// How a response is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// A domain that is none would match no address, and nobody would notice.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected a domain such as contoso.com")]
pub(super) struct NotADomain;

/// A `--tenant-domain`.
pub(super) fn domain(text: &str) -> Result<String, NotADomain> {
    canonical_domain(text).ok_or(NotADomain)
}

/// How the rules treat addresses in a tenant with these domains.
pub(super) fn addresses(plan: Option<&Plan>, tenant_domains: &[String]) -> AddressPolicy {
    let listed = tenant_domains.to_vec();
    match plan {
        Some(plan) => AddressPolicy { domains: plan.domains, plus_tags: plan.plus_tags, listed },
        None => AddressPolicy { listed, ..AddressPolicy::default() },
    }
}
