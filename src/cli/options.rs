//! Options that several commands have.

use std::sync::Arc;

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

/// A public URL that links cannot begin with.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected a URL such as https://graph-proxy.contoso.com, without query and fragment")]
pub(super) struct NotAPublicUrl;

/// A `--public-url`, without a slash at its end.
pub(super) fn public_url(text: &str) -> Result<Arc<str>, NotAPublicUrl> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let (host, _) = rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or(NotAPublicUrl)?;
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\'));
    if is_plain && !host.is_empty() { Ok(text.trim_end_matches('/').into()) } else { Err(NotAPublicUrl) }
}
