//! The tenant's OpenID configuration (OpenID Connect Discovery 1.0): the sign-in page, the issuer and its keys.
//!
//! It is asked for in the application's name (`?appid=`): an application with a signing key of its own has a key set of its own
//! (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>). For other applications the key
//! set is the tenant's; Auth.js asks in this way for all of its users (nextauthjs/next-auth, commit a03657e).
//!
//! It comes from the configured authority. Its sign-in page and its keys must be at that authority, too. The tenant's
//! id is taken from the issuer, never from a query, so that a tenant that is configured by its domain has an id, too.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::jwt::{FetchTimes, KeySource};
use crate::upstream::{ConnectorError, DocumentClient, DocumentError, Network};
use glassine_core::graph::encode::query_value;
use glassine_core::graph::{Url, UrlError, is_guid, without_byte_order_mark};

/// How long a fetched configuration is used. Entra announces changes months ahead; an hour limits the effect of a
/// mistake.
const FRESH: Duration = Duration::from_secs(3600);

/// The most bytes of the query in the key set's address: `appid=` and a GUID have 42.
const MAX_QUERY: usize = 128;

/// A tenant, from its OpenID configuration.
pub(super) struct Tenant {
    /// `iss` of its id_tokens.
    pub(super) issuer: String,
    /// `tid` of its id_tokens.
    pub(super) id: String,
    /// The authorization endpoint, where people sign in.
    pub(super) authorize: String,
    /// The keys that sign its id_tokens.
    pub(super) keys: Arc<KeySource>,
}

/// Why the tenant's OpenID configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TenantError {
    /// The document cannot be fetched.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The document is not an OpenID configuration.
    #[error("the document is not an OpenID configuration of a tenant")]
    Form,
    /// The document names another server than the configured authority.
    #[error("the OpenID configuration leads away from `upstream.authority`")]
    Elsewhere,
    /// The document belongs to another tenant.
    #[error("the OpenID configuration belongs to another tenant than `upstream.tenant`")]
    OtherTenant,
    /// The address of the configuration or the keys cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The client for the keys cannot be built.
    #[error(transparent)]
    Client(#[from] ConnectorError),
}

/// Fetches the tenant's OpenID configuration and caches it.
pub(super) struct Directory {
    authority: String,
    tenant: String,
    client: DocumentClient,
    network: Network,
    known: Mutex<Option<(Instant, Arc<Tenant>)>>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    jwks_uri: String,
}

impl Directory {
    /// Sends no request yet. `authority` is an origin, `tenant` an id or a domain.
    pub(super) fn new(
        authority: &str,
        tenant: &str,
        client_id: &str,
        network: Network,
    ) -> Result<Self, TenantError> {
        let application = query_value(client_id);
        let url = format!("{authority}/{tenant}/v2.0/.well-known/openid-configuration?appid={application}");
        let client = DocumentClient::new(Url::parse(&url)?, &network)?;
        let (authority, tenant) = (authority.to_owned(), tenant.to_owned());
        Ok(Self { authority, tenant, client, network, known: Mutex::default() })
    }

    /// The tenant. Concurrent callers share one request.
    pub(super) async fn tenant(&self) -> Result<Arc<Tenant>, TenantError> {
        let mut known = self.known.lock().await;
        if let Some((since, tenant)) = &*known
            && since.elapsed() < FRESH
        {
            return Ok(Arc::clone(tenant));
        }
        let tenant = Arc::new(self.read(&self.client.get().await?)?);
        *known = Some((Instant::now(), Arc::clone(&tenant)));
        Ok(tenant)
    }

    fn read(&self, document: &[u8]) -> Result<Tenant, TenantError> {
        let document = without_byte_order_mark(document);
        let metadata: Metadata = serde_json::from_slice(document).map_err(|_| TenantError::Form)?;
        let id = tenant_id(&metadata.issuer).ok_or(TenantError::Form)?;
        if is_guid(&self.tenant) && !id.eq_ignore_ascii_case(&self.tenant) {
            return Err(TenantError::OtherTenant);
        }
        if !self.is_ours(&metadata.authorization_endpoint) || !self.is_ours_with_query(&metadata.jwks_uri) {
            return Err(TenantError::Elsewhere);
        }
        let keys = DocumentClient::new(Url::parse(&metadata.jwks_uri)?, &self.network)?;
        Ok(Tenant {
            id: id.to_ascii_lowercase(),
            keys: Arc::new(KeySource::remote(keys, FetchTimes::default())),
            issuer: metadata.issuer,
            authorize: metadata.authorization_endpoint,
        })
    }

    /// The same, perhaps with a query: the key set of an application has `?appid=`.
    fn is_ours_with_query(&self, url: &str) -> bool {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~=&".contains(&b);
        self.is_ours(path) && query.len() <= MAX_QUERY && query.bytes().all(fits)
    }

    /// Whether a URL is a path at the authority without a query, so that parameters can be appended.
    fn is_ours(&self, url: &str) -> bool {
        let path = url.strip_prefix(&self.authority);
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        path.is_some_and(|path| path.starts_with('/') && path.bytes().all(fits))
    }
}

/// The id in `https://login.microsoftonline.com/{id}/v2.0`.
fn tenant_id(issuer: &str) -> Option<&str> {
    let id = issuer.strip_suffix("/v2.0")?.rsplit('/').next()?;
    is_guid(id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11112222-3333-4444-5555-666677778888";
    const AUTHORITY: &str = "https://login.microsoftonline.com";

    fn read(tenant: &str, issuer: &str, authorize: &str, keys: &str) -> Result<Tenant, TenantError> {
        let directory = Directory::new(AUTHORITY, tenant, ID, Network::default()).unwrap();
        let document =
            serde_json::json!({ "issuer": issuer, "authorization_endpoint": authorize, "jwks_uri": keys });
        directory.read(document.to_string().as_bytes())
    }

    fn at(path: &str) -> String {
        format!("{AUTHORITY}/{ID}/{path}")
    }

    #[tokio::test]
    async fn the_tenants_id_comes_from_the_issuer() {
        let (issuer, authorize, keys) = (at("v2.0"), at("oauth2/v2.0/authorize"), at("discovery/v2.0/keys"));
        for tenant in [ID, "contoso.onmicrosoft.com"] {
            assert_eq!(read(tenant, &issuer, &authorize, &keys).unwrap().id, ID);
        }
        let other = "99992222-3333-4444-5555-666677778888";
        assert!(matches!(read(other, &issuer, &authorize, &keys), Err(TenantError::OtherTenant)));
        let common = format!("{AUTHORITY}/{{tenantid}}/v2.0");
        assert!(matches!(read(ID, &common, &authorize, &keys), Err(TenantError::Form)));
    }

    #[tokio::test]
    async fn nothing_leads_away_from_the_authority() {
        let (issuer, authorize, keys) = (at("v2.0"), at("oauth2/v2.0/authorize"), at("discovery/v2.0/keys"));
        for elsewhere in [
            "https://login.microsoftonline.com.evil.example/authorize",
            "https://evil.example/authorize",
            "http://login.microsoftonline.com/authorize",
            "https://login.microsoftonline.com@evil.example/authorize",
            "https://login.microsoftonline.com/\r\nset-cookie:x",
        ] {
            assert!(
                matches!(read(ID, &issuer, elsewhere, &keys), Err(TenantError::Elsewhere)),
                "{elsewhere}"
            );
            assert!(
                matches!(read(ID, &issuer, &authorize, elsewhere), Err(TenantError::Elsewhere)),
                "{elsewhere}"
            );
        }
        let with_query = format!("{authorize}?prompt=none");
        assert!(matches!(read(ID, &issuer, &with_query, &keys), Err(TenantError::Elsewhere)));
    }

    #[tokio::test]
    async fn the_key_set_of_an_application_has_a_query() {
        let (issuer, authorize, keys) = (at("v2.0"), at("oauth2/v2.0/authorize"), at("discovery/v2.0/keys"));
        for query in ["?appid=11112222-3333-4444-5555-666677778888", "?a=b&c=~d_.-", "?"] {
            assert!(read(ID, &issuer, &authorize, &format!("{keys}{query}")).is_ok(), "{query}");
        }
        let long = format!("?appid={}", "1".repeat(MAX_QUERY));
        for query in ["?a=/../x", "?a=%2f", "?a=b#c", "?a=b?c", "?a= b", "?a=@evil.example", &long] {
            let read = read(ID, &issuer, &authorize, &format!("{keys}{query}"));
            assert!(matches!(read, Err(TenantError::Elsewhere)), "{query}");
        }
    }
}
