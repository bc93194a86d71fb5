//! The files of a demo, as an operator writes them for a real deployment. The folder is removed when the demo ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::consumers::{CONNECTABLE, Connectable, READY};
use super::tenant::Tenant;
use glassine_core::hex;
use glassine_core::pseudonym::KeyRing;

/// The rules of the demo by default.
const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

/// A folder with a configuration and everything that it names; removed on drop.
pub struct Folder {
    path: PathBuf,
    /// The bearer token of the consumer that works at once.
    pub token: String,
    connectable: Vec<(Connectable, String)>,
}

/// The addresses of the demo's parts.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The proxy.
    pub proxy: SocketAddr,
    /// Health and metrics.
    pub admin: SocketAddr,
    /// The sample tenant.
    pub graph: SocketAddr,
    /// The sample analytics application.
    pub analytics: SocketAddr,
}

/// Why a demo cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file cannot be written.
    #[error("the demo's files cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Folder {
    /// Writes everything. `rules` replaces the shipped rules.
    ///
    /// # Errors
    ///
    /// [`FolderError`].
    pub(crate) fn create(
        tenant: &Tenant,
        addresses: Addresses,
        rules: Option<&str>,
    ) -> Result<Self, FolderError> {
        let token = bearer_token()?;
        let connectable = CONNECTABLE.iter().map(|it| Ok((*it, bearer_token()?)));
        let connectable = connectable.collect::<Result<_, getrandom::Error>>()?;
        let path = std::env::temp_dir().join(format!("glassine-demo-{}", hex::lower(&*random::<8>()?)));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        let folder = Self { path, token, connectable };
        folder.write("keys.yaml", &KeyRing::render_new(&*random::<32>()?, 'A', "2026-01-01T00:00:00Z"))?;
        folder.write("client-secret", tenant.client_secret())?;
        folder.write("rules.yaml", rules.unwrap_or(RULES))?;
        for consumer in CONNECTABLE {
            folder.write(&consumer.rules_file(), consumer.rules)?;
            folder.write(&consumer.secret_file(), &consumer.secret(tenant))?;
        }
        folder.write("config.yaml", &folder.config(tenant, addresses))?;
        Ok(folder)
    }

    /// The bearer tokens of the consumers whose data sources are not connected yet, by their names.
    pub fn connectable(&self) -> impl Iterator<Item = (&str, &str)> {
        self.connectable.iter().map(|(consumer, token)| (consumer.name, token.as_str()))
    }

    /// The configuration.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.path.join("config.yaml")
    }

    /// The rules in use.
    pub fn rules_file(&self) -> PathBuf {
        self.path.join("rules.yaml")
    }

    /// The audit log.
    pub(crate) fn audit_file(&self) -> PathBuf {
        self.path.join("audit.jsonl")
    }

    /// The key ring.
    pub(crate) fn keys_file(&self) -> PathBuf {
        self.path.join("keys.yaml")
    }

    fn config(&self, tenant: &Tenant, addresses: Addresses) -> String {
        let Addresses { proxy, admin, graph, analytics } = addresses;
        let (tenant_id, client_id) = (tenant.tenant_id(), tenant.client_id());
        let (domain, initial_domain) = (tenant.domain(), tenant.initial_domain());
        let digest = |token: &str| hex::lower(&Sha256::digest(token));
        let entries = self.connectable.iter();
        let entries = entries.map(|(consumer, token)| consumer.entry(tenant, &digest(token), analytics));
        // An administrator of the demo does not wait where nothing comes later.
        let patience = if tenant.entra().delays_consents() { 15 } else { 1 };
        let (entries, ready) = (entries.collect::<String>(), digest(&self.token));
        format!(
            "listen: {proxy}\n\
             public_url: http://{proxy}\n\
             admin: {{ listen: '{admin}' }}\n\
             limits: {{ lame_duck_seconds: 0 }}\n\
             upstream:\n  graph: http://{graph}\n  authority: http://{graph}\n  tenant: {tenant_id}\n  client_id: {client_id}\n  credential: {{ client_secret_file: client-secret }}\n\
             keys: {{ file: keys.yaml }}\n\
             tenant_domains: [{domain}, {initial_domain}]\n\
             connect: {{ file: connections.json, wait_seconds: {patience} }}\n\
             consumers:\n{entries}  - name: {READY}\n    rules: rules.yaml\n    credential: {{ bearer_sha256: [{ready}] }}\n    limits: {{ concurrent: 256, requests_per_second: 10000 }}\n\
             audit: {{ file: audit.jsonl }}\n"
        )
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        create_private(&self.path.join(name))?.write_all(text.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "the demo's files could not be removed");
        }
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn bearer_token() -> Result<String, getrandom::Error> {
    Ok(format!("glassine_{}", URL_SAFE_NO_PAD.encode(*random::<32>()?)))
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes)?;
    Ok(bytes)
}
