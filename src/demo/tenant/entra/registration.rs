//! App registrations: the applications, their credentials and their permissions.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::certificate::{Certificate, CertificateError};
use super::jose::{PublicKey, SigningKey};
use super::refusal::Refusal;
use crate::demo::tenant::rng::Rng;

/// The connectors of `rules/`. Each has its own application with exactly the permissions of its rules.
const CONNECTORS: &[(&str, &[&str])] = &[
    (
        "Outlook Mail",
        &["Mail.Read", "MailboxSettings.Read", "Contacts.Read", "GroupMember.Read.All", "User.Read.All"],
    ),
    (
        "Outlook Mail - Meta Data Only",
        &[
            "Mail.ReadBasic.All",
            "MailboxSettings.Read",
            "Contacts.Read",
            "GroupMember.Read.All",
            "User.Read.All",
        ],
    ),
];
/// The permissions of the first application: more than a metadata reader needs, so that a check of permissions has
/// something to find.
const GRANTED: &[&str] =
    &["Mail.Read", "MailboxSettings.Read", "GroupMember.Read.All", "User.Read.All", "Contacts.Read"];
/// The sample's client secrets never expire. In the portal they expire after two years at most.
const FOREVER: i64 = i64::MAX;

/// An app registration, together with its enterprise application in the tenant. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Registration {
    pub(super) name: String,
    pub(super) client_id: String,
    /// The object id of the service principal: `oid` in its tokens.
    pub(super) object_id: String,
    pub(super) enabled: bool,
    pub(super) secrets: Vec<ClientSecret>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) federated: Vec<FederatedCredential>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) configured: Vec<String>,
    pub(super) granted: BTreeSet<String>,
    /// From when on tokens have a permission, if not from the start.
    pub(super) shows_from: BTreeMap<String, Instant>,
    /// Its own key for id_tokens.
    pub(super) signing_key: Option<Arc<SigningKey>>,
    /// The object ids of the only users whose mailboxes it may open, if an application access policy limits it.
    pub(super) mailboxes: Option<HashSet<String>>,
    pub(super) token_requests: u64,
}

/// A client secret.
#[derive(Clone)]
pub(super) struct ClientSecret {
    pub(super) value: String,
    /// In seconds since 1970.
    pub(super) expires: i64,
}

/// Tokens of another issuer that count as the application's credential (workload identity federation).
#[derive(Clone, Debug)]
pub struct FederatedCredential {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// `sub`, byte for byte.
    pub subject: String,
    /// `aud`; Entra recommends `api://AzureADTokenExchange`.
    pub audience: String,
    /// The issuer's key set (RFC 7517), which Entra fetches.
    pub jwks: Value,
}

impl Registration {
    /// The tenant's applications: the first one, which has its permissions, and one for each connector, without
    /// consent.
    pub(super) fn all(seed: u64, client_id: &str, client_secret: &str) -> Vec<Registration> {
        let first = Registration {
            granted: GRANTED.iter().map(|name| (*name).to_owned()).collect(),
            ..Registration::new(seed, 0, "Sample application", GRANTED)
        };
        let first = Registration { client_id: client_id.to_owned(), ..first.with_secret(client_secret) };
        let connectors = (1..).zip(CONNECTORS).map(|(number, (name, permissions))| {
            let secret = Rng::of(seed, "client secret", &[number]).draw();
            Registration::new(seed, number, name, permissions).with_secret(&format!("sample~{secret:016x}"))
        });
        std::iter::once(first).chain(connectors).collect()
    }

    fn new(seed: u64, number: u64, name: &str, permissions: &[&str]) -> Registration {
        let mut rng = Rng::of(seed, "app registration", &[number]);
        Registration {
            name: name.to_owned(),
            client_id: rng.guid(),
            object_id: rng.guid(),
            enabled: true,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated: Vec::new(),
            redirect_uris: Vec::new(),
            configured: permissions.iter().map(|name| (*name).to_owned()).collect(),
            granted: BTreeSet::new(),
            shows_from: BTreeMap::new(),
            signing_key: None,
            mailboxes: None,
            token_requests: 0,
        }
    }

    fn with_secret(mut self, value: &str) -> Registration {
        self.add_secret(value, FOREVER);
        self
    }

    /// The display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The application (client) id, a GUID.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The first of its client secrets. Synthetic, like everything here.
    pub fn client_secret(&self) -> &str {
        self.secrets.first().map_or("", |secret| secret.value.as_str())
    }

    /// The application permissions that its owner listed, which a consent grants.
    pub fn configured(&self) -> &[String] {
        &self.configured
    }

    /// The names of its granted application permissions.
    pub fn granted(&self) -> impl Iterator<Item = &str> {
        self.granted.iter().map(String::as_str)
    }

    /// How many token requests named it, successful or not.
    pub fn token_requests(&self) -> u64 {
        self.token_requests
    }

    /// Adds a client secret that expires at a time in seconds since 1970.
    pub fn add_secret(&mut self, value: &str, expires: i64) {
        self.secrets.push(ClientSecret { value: value.to_owned(), expires });
    }

    /// Removes all client secrets.
    pub fn remove_secrets(&mut self) {
        self.secrets.clear();
    }

    /// Adds a certificate, in DER.
    ///
    /// # Errors
    /// [`CertificateError`] if Entra would refuse it.
    pub fn register_certificate(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        self.certificates.push(Certificate::parse(der)?);
        Ok(())
    }

    /// Removes all certificates.
    pub fn remove_certificates(&mut self) {
        self.certificates.clear();
    }

    /// Trusts another issuer's tokens.
    pub fn trust(&mut self, credential: FederatedCredential) {
        self.federated.push(credential);
    }

    /// Adds a redirect URI. Redirect URIs are compared byte for byte.
    pub fn add_redirect_uri(&mut self, uri: &str) {
        self.redirect_uris.push(uri.to_owned());
    }

    /// Grants an application permission. Tokens have it from the next one on.
    pub fn grant(&mut self, permission: &str) {
        self.granted.insert(permission.to_owned());
        self.shows_from.remove(permission);
    }

    /// Revokes an application permission. Tokens that were issued before keep it.
    pub fn revoke(&mut self, permission: &str) {
        self.granted.remove(permission);
    }

    /// Enables or disables the application: sign-ins and tokens.
    pub fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Sets an application access policy: the application can open only the mailboxes of these users (object ids).
    /// Applies to tokens that were issued before, too. `None` removes the policy.
    pub fn restrict_mailboxes(&mut self, users: Option<&[&str]>) {
        self.mailboxes = users.map(|users| users.iter().map(|user| (*user).to_owned()).collect());
    }

    pub(super) fn check_enabled(&self) -> Result<(), Refusal> {
        let (client_id, name) = (self.client_id.clone(), self.name.clone());
        if self.enabled { Ok(()) } else { Err(Refusal::Disabled { client_id, name }) }
    }

    pub(super) fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered == uri)
    }
}

impl FederatedCredential {
    /// The issuer's key with this id. Without an id: its only key.
    pub(super) fn key(&self, id: Option<&str>) -> Option<PublicKey> {
        let keys = self.jwks.get("keys")?.as_array()?;
        let key = match id {
            Some(id) => keys.iter().find(|key| key.get("kid").and_then(Value::as_str) == Some(id)),
            None => keys.first().filter(|_| keys.len() == 1),
        };
        PublicKey::from_jwk(key?)
    }
}
