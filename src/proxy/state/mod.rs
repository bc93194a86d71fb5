//! What is built from a configuration: clients, consumers, keys. Either all of it can be built, or the state is
//! refused.

mod approvals;
mod credentials;
mod gates;

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use super::consumer::{Application, Caller, Consumer, Decided, KnownBy, Rotation};
use super::descriptions::Descriptions;
use super::forwarded::client_address;
use super::head::Head;
use super::host::Hosts;
use super::identify::Consumers;
use super::key_sources::KeySources;
use super::problem::{Problem, Unknown};
use crate::approvals::Judge;
use crate::audit::MacKey;
use crate::config::files::{read_secret, read_text};
use crate::config::{self, Config, ConsumerCredential, JwksLocation, Networks, UpstreamCredential};
use crate::jwt::{KeySource, Verifier};
use crate::server::{Peer, read_certificates};
use crate::upstream::{
    Credential, GraphClient, MAX_BODY, Network, PoolLimits, Proxies, Settings, TokenSource,
};
use gates::Gates;
use glassine_core::admit::{Keys, Policy};
use glassine_core::diagnostic::{Causes, Diagnostic, Report};
use glassine_core::graph::Origin;
use glassine_core::pseudonym::{self, AddressPolicy, KeyRing};
use glassine_core::rules::{self, Plan};
use glassine_core::statement::Statement;

/// Everything that serves requests under one configuration.
pub struct ProxyState {
    graph: GraphClient,
    /// Graph's origin.
    origin: Origin,
    /// One token source for each distinct application.
    sources: Vec<(Credential, Arc<TokenSource>)>,
    /// Each consumer sends its own token for Graph.
    forwards: bool,
    hosts: Hosts,
    trusted_proxies: Networks,
    consumers: Consumers,
    key_sources: KeySources,
    network: Network,
    audit_key: Option<MacKey>,
    gates: Gates,
    /// The key ring's fingerprints, the newest key first.
    keys: Vec<pseudonym::Fingerprint>,
}

/// Why no state could be built: reports about the configuration and the files that it names.
#[derive(Debug)]
pub struct StateError {
    /// One report for each file with errors or warnings.
    pub reports: Vec<Report>,
}

impl ProxyState {
    /// Reads the files that the configuration names, and builds the state. Returns warnings beside it.
    ///
    /// # Errors
    ///
    /// [`StateError`] with all errors, found in one pass. `file` and `text` are the configuration's.
    pub fn build(file: &str, text: &str, config: &Config) -> Result<(Self, Vec<Report>), StateError> {
        Self::rebuild(file, text, config, None)
    }

    /// Like [`Self::build`], for a reload: keeps the fetched keys of issuers, who may be down now, and the counters of
    /// consumers' limits.
    ///
    /// # Errors
    ///
    /// [`StateError`], like [`Self::build`].
    pub(crate) fn rebuild(
        file: &str,
        text: &str,
        config: &Config,
        earlier: Option<&Self>,
    ) -> Result<(Self, Vec<Report>), StateError> {
        let key_sources = KeySources::after(earlier.map(|state| &state.key_sources));
        let mut builder = Builder {
            file,
            config,
            now: Timestamp::now(),
            earlier,
            key_sources,
            gates: Gates::default(),
            findings: config.warnings().to_vec(),
            reports: Vec::new(),
            sources: Vec::new(),
        };
        let state = builder.state();
        let Builder { findings, mut reports, .. } = builder;
        if !findings.is_empty() {
            reports.insert(0, Report::new(file, text, findings));
        }
        match state {
            Ok(state) if !reports.iter().any(Report::has_errors) => Ok((state, reports)),
            Ok(_) | Err(Reported(())) => Err(StateError { reports }),
        }
    }

    pub(super) fn graph(&self) -> &GraphClient {
        &self.graph
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// All consumers.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = &Arc<Consumer>> {
        self.consumers.iter()
    }

    /// The next moment at which something has to be said about an approval.
    pub(crate) fn next_notice(&self, now: Timestamp) -> Option<Timestamp> {
        self.consumers.iter().filter_map(|consumer| consumer.approval()?.next_notice(now)).min()
    }

    /// The key ring's fingerprints, the newest key first.
    pub(crate) fn keys(&self) -> &[pseudonym::Fingerprint] {
        &self.keys
    }

    /// The consumer of this name.
    pub(crate) fn consumer(&self, name: &str) -> Option<&Arc<Consumer>> {
        self.consumers.iter().find(|consumer| *consumer.name() == *name)
    }

    /// The key that seals the lines of the audit log: of the ring's newest key.
    pub(crate) fn audit_key(&self) -> Option<&MacKey> {
        self.audit_key.as_ref()
    }

    /// Where the tokens for Graph come from: one source for each distinct application.
    pub(crate) fn token_sources(&self) -> impl Iterator<Item = &Arc<TokenSource>> {
        self.sources.iter().map(|(_, tokens)| tokens)
    }

    /// How this proxy reaches Graph, Entra and issuers.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(super) fn endpoint_names(&self) -> Vec<Arc<str>> {
        let endpoints = self.consumers.iter().flat_map(|consumer| consumer.policy().plan.all());
        endpoints.map(|endpoint| endpoint.name.as_str().into()).collect()
    }

    /// The consumer that sends the request. If consumers send their own tokens for Graph, SDKs put those in
    /// `Authorization`, so the consumer's credential is in `Proxy-Authorization`.
    pub(super) async fn identify(&self, head: &Head<'_>, peer: &Peer) -> Result<Arc<Consumer>, Problem> {
        let place = if self.forwards { PROXY_AUTHORIZATION } else { AUTHORIZATION };
        self.consumers.identify(head.bearer(&place), peer).await
    }

    /// The address that a request comes from.
    pub(super) fn address(&self, head: &Head<'_>, peer: &Peer) -> Result<IpAddr, Problem> {
        client_address(peer.address.ip(), head.headers(), &self.trusted_proxies)
    }

    /// The identified consumer with its token for Graph.
    pub(super) fn caller(&self, consumer: Arc<Consumer>, head: &Head<'_>) -> Result<Caller, Problem> {
        let graph_token = if self.forwards {
            Some(head.graph_token().ok_or(Problem::GraphToken(Unknown::NoCredential))?)
        } else {
            None
        };
        Ok(Caller { consumer, graph_token })
    }

    /// Fetches the keys of issuers, so that the first requests do not wait for them.
    pub(crate) async fn warm(&self) {
        self.key_sources.warm().await;
    }
}

struct Builder<'a> {
    /// The configuration file's name.
    file: &'a str,
    config: &'a Config,
    now: Timestamp,
    earlier: Option<&'a ProxyState>,
    key_sources: KeySources,
    gates: Gates,
    findings: Vec<Diagnostic>,
    reports: Vec<Report>,
    /// One token source for each distinct application, found so far.
    sources: Vec<(Credential, Arc<TokenSource>)>,
}

/// Proof that a report explains the failure. Only [`Builder::report`] makes one, so nothing fails without a report.
#[derive(Clone, Copy, Debug)]
struct Reported(());

impl Builder<'_> {
    fn state(&mut self) -> Result<ProxyState, Reported> {
        let upstream = self.config.upstream();
        let network = self.network();
        let (keys, judge) = (self.keys(), self.judge());
        let judge = judge.as_ref().map(Option::as_ref);
        let applications = self.applications(network.as_ref());
        let consumers = self.config.consumers().iter().zip(applications);
        let consumers: Vec<_> = consumers
            .map(|(it, application)| self.consumer(it, network.as_ref(), keys.as_ref(), judge, application))
            .collect();
        let network = network?;
        let settings =
            Settings { graph: upstream.graph().clone(), network: network.clone(), max_body: MAX_BODY };
        let client = self.built(GraphClient::new(settings));
        let keys = keys?;
        Ok(ProxyState {
            graph: client?,
            origin: upstream.graph().clone(),
            sources: std::mem::take(&mut self.sources),
            forwards: matches!(upstream.credential(), UpstreamCredential::Forward { .. }),
            hosts: Hosts { public: self.config.public_url().clone(), listen: self.config.listen() },
            trusted_proxies: self.config.trusted_proxies().clone(),
            consumers: Consumers::new(consumers.into_iter().collect::<Result<_, _>>()?),
            key_sources: std::mem::take(&mut self.key_sources).complete(),
            network,
            audit_key: keys.audit_keys().first().and_then(|(id, secret)| MacKey::new(*id, secret)),
            gates: std::mem::take(&mut self.gates),
            keys: keys.fingerprint(),
        })
    }

    fn report(&mut self, error: Diagnostic) -> Reported {
        self.findings.push(error);
        Reported(())
    }

    /// Reports an unusable file or variable at the line of the configuration that names it.
    fn used<T, E: Error + 'static>(
        &mut self,
        result: Result<T, E>,
        unusable: impl FnOnce(&Causes<'_>) -> Diagnostic,
    ) -> Result<T, Reported> {
        result.map_err(|error| self.report(unusable(&Causes(&error))))
    }

    /// Reports a client that cannot be built. No line of the configuration is at fault, so it names none.
    fn built<T, E: Error + 'static>(&mut self, result: Result<T, E>) -> Result<T, Reported> {
        self.used(result, |causes| Diagnostic::error(config::codes::CONFIG_FILE, 0..0, causes.to_string()))
    }

    fn network(&mut self) -> Result<Network, Reported> {
        let timeouts = self.config.upstream().timeouts();
        let (extra_roots, proxies) = (self.extra_roots(), self.built(Proxies::from_env()));
        let connections = self.earlier.map(|state| state.network.connections.clone()).unwrap_or_default();
        let pool = PoolLimits::default();
        Ok(Network { extra_roots: extra_roots?, timeouts, proxies: proxies?, pool, connections })
    }

    fn extra_roots(&mut self) -> Result<Vec<CertificateDer<'static>>, Reported> {
        match self.config.upstream().ca() {
            Some(file) => self.used(read_certificates(file.path()), |why| file.unusable(why)),
            None => Ok(Vec::new()),
        }
    }

    fn keys(&mut self) -> Result<KeyRing, Reported> {
        let source = self.config.keys();
        let text = self.used(read_secret(source), |why| source.unusable(why))?;
        self.used(KeyRing::parse(&text), |why| source.unusable(why))
    }

    fn known_by(
        &mut self,
        consumer: &config::Consumer,
        network: Result<&Network, &Reported>,
    ) -> Result<KnownBy, Reported> {
        match consumer.credential() {
            ConsumerCredential::Bearer(hashes) => Ok(KnownBy::Bearer(hashes.clone())),
            ConsumerCredential::Certificate(names) => Ok(KnownBy::Certificate(names.clone())),
            ConsumerCredential::Jwt(jwt) => {
                let keys = self.issuer_keys(&jwt.keys, network)?;
                Ok(KnownBy::Jwt(Verifier::new(jwt.expected.clone(), keys)))
            }
        }
    }

    fn issuer_keys(
        &mut self,
        location: &JwksLocation,
        network: Result<&Network, &Reported>,
    ) -> Result<Arc<KeySource>, Reported> {
        match location {
            JwksLocation::File(file) => {
                let keys = self.key_sources.file(file);
                self.used(keys, |why| file.unusable(why))
            }
            JwksLocation::Url(url) => {
                let source = self.key_sources.url(url, network.map_err(|reported| *reported)?);
                self.built(source)
            }
        }
    }

    fn consumer(
        &mut self,
        consumer: &config::Consumer,
        network: Result<&Network, &Reported>,
        keys: Result<&KeyRing, &Reported>,
        judge: Result<Option<&Judge>, &Reported>,
        application: Result<Application, Reported>,
    ) -> Result<Arc<Consumer>, Reported> {
        let known_by = self.known_by(consumer, network);
        let (plan, rules) = self.plan(consumer)?;
        // Of the plan that serves: nothing is read again between the approval and the first response.
        let statement = Statement::of_consumer(&self.config.setting(consumer), &plan);
        let approval = self.approval(consumer, &statement, judge);
        let addresses = AddressPolicy {
            domains: plan.domains,
            own: self.config.tenant_domains().to_vec(),
            plus_tags: plan.plus_tags,
        };
        let keys = keys.map_err(|reported| *reported)?;
        let keys = Rotation::new(keys, consumer.pseudonym_domain(), &addresses);
        let policy = Policy::new(
            plan,
            Arc::clone(&keys.newest) as Arc<dyn Keys>,
            self.config.upstream().graph().clone(),
            self.config.public_url().as_str().into(),
        );
        let descriptions = Descriptions::of(&policy.plan, self.config.public_url());
        let decided = Decided { policy, statement, descriptions, rules };
        let now = Consumer::new(consumer.clone(), known_by?, decided, keys, application?, approval?);
        let before = self.earlier.and_then(|state| state.consumer(consumer.name()));
        Ok(Arc::new(now.continuing(before.map(Arc::as_ref))))
    }

    fn plan(&mut self, consumer: &config::Consumer) -> Result<(Arc<Plan>, String), Reported> {
        let path: &Path = consumer.rules().path();
        let text = self.used(read_text(path), |why| consumer.rules().unusable(why))?;
        let compiled = rules::compile(&path.display().to_string(), &text);
        if !compiled.report.diagnostics.is_empty() {
            self.reports.push(compiled.report);
        }
        match compiled.plan {
            Some(plan) => Ok((Arc::new(plan), text)),
            // Without a plan, the report has errors.
            None => Err(Reported(())),
        }
    }
}
