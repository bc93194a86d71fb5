//! The configuration as written: all keys that a file may have, with their places, before any check.

use serde::{Deserialize, Deserializer};

use super::upstream::WrittenCredential;
use glassine_core::rules::raw::Entries;
use glassine_core::yaml::{Recovered, Spanned, Texts};

/// A whole file. All sections are optional here, so that the check can report a missing one and still check the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<Recovered<Text>>,
    pub(super) public_url: Option<Recovered<Text>>,
    pub(super) tls: Option<Recovered<Tls>>,
    pub(super) admin: Option<Recovered<Admin>>,
    pub(super) limits: Option<Recovered<ServerLimits>>,
    pub(super) upstream: Option<Recovered<Spanned<Upstream>>>,
    pub(super) keys: Option<Recovered<Spanned<Keys>>>,
    pub(super) tenant_domains: Option<Recovered<Vec<Text>>>,
    pub(super) trusted_proxies: Option<Recovered<Vec<Text>>>,
    pub(super) consumers: Option<Recovered<Spanned<Vec<Consumer>>>>,
    pub(super) audit: Option<Recovered<Spanned<Audit>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) approvals: Option<Recovered<Approvals>>,
    pub(super) connect: Option<Recovered<Connect>>,
    pub(super) traces: Option<Recovered<Traces>>,
}

/// A section that is there even if nothing stands behind its key. Otherwise `approvals:` with its lines commented out
/// would read like a file that demands no approvals.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Recovered<T>>, D::Error> {
    Recovered::deserialize(deserializer).map(Some)
}

/// A string with its place in the file.
pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate_file: Text,
    pub(super) private_key_file: Text,
    pub(super) client_ca_file: Option<Text>,
    pub(super) client_certificates: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) listen: Text,
    pub(super) bearer_sha256: Option<Spanned<Vec<Text>>>,
    pub(super) probes: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerLimits {
    pub(super) connections: Option<Spanned<u64>>,
    pub(super) connections_per_address: Option<Spanned<u64>>,
    pub(super) lame_duck_seconds: Option<Spanned<u64>>,
    pub(super) drain_seconds: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    pub(super) cloud: Option<Text>,
    pub(super) graph: Option<Text>,
    pub(super) authority: Option<Text>,
    pub(super) ca_file: Option<Text>,
    pub(super) tenant: Option<Text>,
    pub(super) client_id: Option<Text>,
    pub(super) credential: Recovered<Spanned<WrittenCredential>>,
    pub(super) timeouts: Option<Recovered<Timeouts>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Timeouts {
    pub(super) connect_seconds: Option<Spanned<u64>>,
    pub(super) response_seconds: Option<Spanned<u64>>,
    pub(super) idle_seconds: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) file: Option<Text>,
    pub(super) environment: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumer {
    pub(super) name: Text,
    pub(super) title: Option<Text>,
    pub(super) rules: Text,
    pub(super) credential: Recovered<Spanned<ConsumerCredential>>,
    pub(super) pseudonym_domain: Option<Text>,
    pub(super) allow_from: Option<Recovered<Spanned<Vec<Text>>>>,
    pub(super) limits: Option<Recovered<ConsumerLimits>>,
    pub(super) return_url: Option<Text>,
    pub(super) approved_by: Option<Recovered<Spanned<Vec<Text>>>>,
    pub(super) application: Option<Recovered<Application>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) client_id: Text,
    pub(super) credential: Spanned<WrittenCredential>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerCredential {
    pub(super) bearer_sha256: Option<Spanned<Vec<Text>>>,
    pub(super) mtls: Option<Spanned<Mtls>>,
    pub(super) jwt: Option<Spanned<Jwt>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mtls {
    pub(super) san: Texts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) issuer: Text,
    pub(super) audience: Texts,
    pub(super) jwks_url: Option<Text>,
    pub(super) jwks_file: Option<Text>,
    pub(super) algorithms: Option<Texts>,
    pub(super) claims: Option<Entries<Texts>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerLimits {
    pub(super) concurrent: Option<Spanned<u64>>,
    pub(super) requests_per_second: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approvals {
    pub(super) signers_file: Text,
    pub(super) require: Option<Spanned<u64>>,
    pub(super) expire_days: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connect {
    pub(super) allow_from: Option<Recovered<Spanned<Vec<Text>>>>,
    pub(super) file: Text,
    pub(super) wait_seconds: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traces {
    pub(super) url: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    pub(super) file: Option<Text>,
    pub(super) stdout: Option<Spanned<bool>>,
    pub(super) sync: Option<Text>,
    pub(super) rotate: Option<Recovered<Spanned<Rotate>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    pub(super) megabytes: Option<Spanned<u64>>,
    pub(super) keep: Option<Spanned<u64>>,
    pub(super) daily: Option<Spanned<bool>>,
}
