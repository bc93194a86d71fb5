//! Options that several commands have.

use clap::ValueEnum;

use crate::config::{NotOwn, own_domain};
use glassine_core::pseudonym::{AddressPolicy, OwnDomain};
use glassine_core::rules::Plan;

/// The origin of Microsoft Graph in the worldwide cloud.
pub(super) const GRAPH: &str = "https://graph.microsoft.com";

/// The published test keys of docs/PSEUDONYMS.md: `diff` makes the tokens of its witnesses with them.
pub(super) const EXAMPLE_KEYS: &str = include_str!("../../rules/cases/keys.yaml");
/// The consumer whose tokens are in witnesses.
pub(super) const EXAMPLE_CONSUMER: &str = "acme-analytics";
/// The tenant's domain in witnesses.
pub(super) const EXAMPLE_DOMAIN: &str = "contoso.com";

/// The format of a command's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// Parses the value of `--tenant-domain`.
pub(super) fn domain(text: &str) -> Result<OwnDomain, NotOwn> {
    own_domain(text)
}

/// How the rules treat addresses in a tenant with these domains.
pub(super) fn addresses(plan: Option<&Plan>, tenant_domains: &[OwnDomain]) -> AddressPolicy {
    let own = tenant_domains.to_vec();
    match plan {
        Some(plan) => AddressPolicy { domains: plan.domains, plus_tags: plan.plus_tags, own },
        None => AddressPolicy { own, ..AddressPolicy::default() },
    }
}
