//! What is built from the configuration: connectors, keys, the file of connections. Built completely or not at all.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::application::Application;
use super::pages;
use super::person::Shown;
use super::problem::Problem;
use super::response::PageResponse;
use super::signing::ResultKeys;
use super::store::{Connection, Store, StoreError};
use super::tenant::{Directory, TenantError};
use crate::config::files::read_secret;
use crate::config::{Config, Connect as Settings, Networks};
use crate::proxy::{Consumer, Hosts, ProxyState, address_of};
use glassine_core::diagnostic::{Causes, Diagnostic};
use glassine_core::graph::BaseUrl;
use glassine_core::pseudonym::{KeyRing, OwnDomain, Pseudonyms, Sealer};
use glassine_core::rules::Plan;
use glassine_core::statement::Fingerprint;

/// The connectors of a configuration, and everything that the pages need to serve them.
pub struct Site {
    public_url: BaseUrl,
    hosts: Hosts,
    connectors: Vec<Connector>,
    sealer: Sealer,
    result_keys: ResultKeys,
    store: Arc<Store>,
    settings: Settings,
    trusted_proxies: Networks,
    /// Through which the check of a connection asks Graph.
    state: Arc<ProxyState>,
}

/// One consumer's connector.
pub(super) struct Connector {
    /// The consumer's name.
    pub(super) name: Arc<str>,
    /// The consumer's name for people.
    pub(super) title: String,
    /// The domains that stay readable, if the rules say so.
    pub(super) own_domains: Vec<OwnDomain>,
    pub(super) plan: Arc<Plan>,
    pub(super) consumer: Arc<Consumer>,
    /// Of all that the consumer may ask and gets.
    pub(super) fingerprint: Fingerprint,
    /// The text of the rules file.
    pub(super) rules: String,
    pub(super) pseudonyms: Arc<Pseudonyms>,
    /// Which properties of a person the rules let out.
    pub(super) shown: Shown,
    pub(super) application: Application,
    pub(super) return_url: Option<BaseUrl>,
}

impl Site {
    /// Builds the site. `None` if the configuration has no connection pages.
    ///
    /// # Errors
    /// A [`Diagnostic`] at the place in the configuration that cannot be used.
    pub fn build(config: &Config, state: &Arc<ProxyState>) -> Result<Option<Self>, Diagnostic> {
        let Some(wanted) = config.connect() else { return Ok(None) };
        let keys = config.keys();
        let text = read_secret(keys).map_err(|error| keys.unusable(&error))?;
        let ring = KeyRing::parse(&text).map_err(|error| keys.unusable(&error))?;
        let unusable = |error: &(dyn Error + 'static)| wanted.file().unusable(&Causes(error));
        let store = Store::open(wanted.file().path()).map_err(|error| unusable(&error))?;
        let consumers = state.consumers().map(|consumer| connector(config, state, consumer));
        let connectors: Vec<_> = consumers.collect::<Result<_, _>>().map_err(|error| unusable(&error))?;
        Ok(Some(Self {
            public_url: config.public_url().clone(),
            hosts: state.hosts().clone(),
            connectors: connectors
                .into_iter()
                .collect::<Option<_>>()
                .ok_or_else(|| wanted.file().unusable(&"a consumer has no app registration of its own"))?,
            sealer: ring.connection_sealer(),
            result_keys: ResultKeys::new(&ring).map_err(|error| keys.unusable(&error))?,
            store: Arc::new(store),
            settings: wanted.clone(),
            trusted_proxies: config.trusted_proxies().clone(),
            state: Arc::clone(state),
        }))
    }

    pub(super) fn connectors(&self) -> &[Connector] {
        &self.connectors
    }

    pub(super) fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|connector| &*connector.name == name)
    }

    /// The last known state of a connector's connection.
    pub(super) fn connection(&self, connector: &Connector) -> Option<Connection> {
        self.store.get(&connector.name, &connector.plan.connector)
    }

    /// Stores the state of a connection.
    pub(super) async fn remember(
        &self,
        consumer: &str,
        connection: Connection,
    ) -> Result<Connection, Problem> {
        let (store, consumer) = (Arc::clone(&self.store), consumer.to_owned());
        let written = tokio::task::spawn_blocking(move || store.put(&consumer, connection)).await;
        Ok(written.map_err(|_| StoreError::Interrupted)??)
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(super) fn result_keys(&self) -> &ResultKeys {
        &self.result_keys
    }

    pub(super) fn state(&self) -> &ProxyState {
        &self.state
    }

    /// How long the proxy waits until a consent takes effect.
    pub(super) fn patience(&self) -> Duration {
        self.settings.wait()
    }

    pub(super) fn public_url(&self) -> &str {
        self.public_url.as_str()
    }

    /// The path under which browsers reach this proxy.
    pub(super) fn prefix(&self) -> &str {
        self.public_url.path()
    }

    pub(super) fn is_secure(&self) -> bool {
        self.public_url.origin().is_https()
    }

    pub(super) fn is_origin(&self, origin: &str) -> bool {
        origin == self.public_url.origin().as_str()
    }

    /// Whether the pages are for the browser behind this request.
    pub(super) fn may_come_from(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.settings.may_come_from(self.address_of(peer, headers))
    }

    /// The address that a request comes from; `None` if a trusted proxy does not say it.
    pub(super) fn address_of(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        address_of(peer, headers, &self.trusted_proxies)
    }

    /// The hosts under which browsers may address this site.
    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The redirect URI after the sign-in.
    pub(super) fn signed_in_url(&self) -> String {
        format!("{}/connect/signed-in", self.public_url)
    }

    /// The redirect URI after the consent.
    pub(super) fn consented_url(&self) -> String {
        format!("{}/connect/consented", self.public_url)
    }

    /// The page of a problem.
    pub(super) fn problem(&self, problem: &Problem, again: &str) -> PageResponse {
        let (status, notice) = problem.page();
        PageResponse::page(status, pages::notice(self.prefix(), &notice, again))
    }
}

fn connector(
    config: &Config,
    state: &ProxyState,
    consumer: &Arc<Consumer>,
) -> Result<Option<Connector>, TenantError> {
    let Some(application) = application(config, state, consumer)? else { return Ok(None) };
    let plan = Arc::clone(&consumer.policy().plan);
    Ok(Some(Connector {
        name: consumer.name(),
        title: consumer.checked().title().to_owned(),
        own_domains: config.tenant_domains().to_vec(),
        fingerprint: *consumer.statement().fingerprint(),
        rules: consumer.rules().to_owned(),
        pseudonyms: Arc::clone(consumer.pseudonyms()),
        shown: Shown::by(&plan),
        application,
        return_url: consumer.checked().return_url().cloned(),
        consumer: Arc::clone(consumer),
        plan,
    }))
}

/// `Ok(None)` without an app registration. The checks of the configuration refuse this earlier.
fn application(
    config: &Config,
    state: &ProxyState,
    consumer: &Consumer,
) -> Result<Option<Application>, TenantError> {
    let upstream = config.upstream();
    let credential = consumer.checked().application().unwrap_or(upstream.credential());
    let (Some(tenant), Some(client_id), Some(tokens)) =
        (credential.tenant(), credential.client_id(), consumer.tokens())
    else {
        return Ok(None);
    };
    let authority = upstream.authority().as_str().to_owned();
    let directory = Directory::new(&authority, tenant, client_id, state.network().clone())?;
    Ok(Some(Application {
        client_id: client_id.to_owned(),
        scope: format!("{}/.default", upstream.graph()),
        directory: Arc::new(directory),
        tokens: Arc::clone(tokens),
        authority,
    }))
}
