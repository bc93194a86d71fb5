//! What a configuration becomes: clients, consumers, keys. Built whole or not at all.

mod credentials;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use http::Uri;
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::consumer::{Caller, Consumer, KnownBy};
use super::forwarded::client_address;
use super::head::{Head, Hosts};
use super::identify::Consumers;
use super::key_sources::KeySources;
use super::problem::{Problem, Unknown};
use crate::config::files::{read_secret, read_text};
use crate::config::{self, BaseUrl, Config, ConsumerCredential, JwksLocation, Networks, UpstreamCredential};
use crate::jwt::{KeySource, Verifier};
use crate::server::Peer;
use crate::upstream::{
    Credential, GraphClient, MAX_BODY, Network, Origin, Proxies, Settings, Timeouts, TokenSource,
};
use glassine_core::admit::{Keys, Policy};
use glassine_core::diagnostic::{Diagnostic, Report};
use glassine_core::graph;
use glassine_core::pseudonym::{AddressPolicy, KeyRing};
use glassine_core::rules::{self, Plan};

/// What requests run on.
pub struct ProxyState {
    graph: GraphClient,
    /// Each consumer brings its own token for Graph.
    forwards: bool,
    hosts: Hosts,
    trusted_proxies: Networks,
    consumers: Consumers,
    key_sources: KeySources,
    network: Network,
}

/// Why a configuration could not become a state: reports about it and the files it names.
#[derive(Debug)]
pub struct StateError {
    /// One for each file that has something to say, errors and warnings.
    pub reports: Vec<Report>,
}

impl ProxyState {
    /// Reads what the configuration names and builds everything from it. Warnings come back beside the state.
    ///
    /// # Errors
    ///
    /// [`StateError`] with everything that is wrong, in one pass. `file` and `text` are the configuration's.
    pub fn build(file: &str, text: &str, config: &Config) -> Result<(Self, Vec<Report>), StateError> {
        Self::rebuild(file, text, config, None)
    }

    /// As [`Self::build`], going on where an earlier state stopped: with the keys of issuers who may be down just now, and with
    /// what is left of consumers' limits.
    ///
    /// # Errors
    ///
    /// [`StateError`], as [`Self::build`].
    pub fn rebuild(
        file: &str,
        text: &str,
        config: &Config,
        earlier: Option<&Self>,
    ) -> Result<(Self, Vec<Report>), StateError> {
        let key_sources = KeySources::after(earlier.map(|state| &state.key_sources));
        let mut builder = Builder {
            config,
            earlier,
            key_sources,
            findings: Vec::new(),
            reports: Vec::new(),
            sources: Vec::new(),
        };
        let state = builder.state();
        let Builder { findings, mut reports, .. } = builder;
        if !findings.is_empty() {
            reports.insert(0, Report::new(file, text, findings));
        }
        match state {
            Some(state) if !reports.iter().any(Report::has_errors) => Ok((state, reports)),
            _ => Err(StateError { reports }),
        }
    }

    pub(super) fn graph(&self) -> &GraphClient {
        &self.graph
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The consumers, for the pages on which their data sources are connected.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = &Arc<Consumer>> {
        self.consumers.iter()
    }

    /// How the servers above are reached.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(super) fn endpoint_names(&self) -> Vec<Arc<str>> {
        let endpoints = self.consumers.iter().flat_map(|consumer| &consumer.policy().plan.endpoints);
        endpoints.map(|endpoint| endpoint.name.as_str().into()).collect()
    }

    /// Who is asking, from an address that it may ask from. Where consumers bring their tokens for Graph, those are in
    /// `Authorization`, as SDKs send them, and say nothing about who the consumer is.
    pub(super) async fn identify(&self, head: &Head<'_>, peer: &Peer) -> Result<Caller, Problem> {
        let forwards = self.forwards;
        let place = if forwards { PROXY_AUTHORIZATION } else { AUTHORIZATION };
        let consumer = self.consumers.identify(head.bearer(&place), peer).await?;
        let address = client_address(peer.address.ip(), head.headers(), &self.trusted_proxies)?;
        if !consumer.may_come_from(address) {
            return Err(Problem::Address);
        }
        let graph_token = if forwards {
            Some(head.graph_token().ok_or(Problem::GraphToken(Unknown::NoCredential))?)
        } else {
            None
        };
        Ok(Caller { consumer, graph_token })
    }

    /// Fetches the keys of issuers, so that the first requests need not wait for them.
    pub async fn warm(&self) {
        self.key_sources.warm().await;
    }
}

struct Builder<'a> {
    config: &'a Config,
    earlier: Option<&'a ProxyState>,
    key_sources: KeySources,
    findings: Vec<Diagnostic>,
    reports: Vec<Report>,
    /// The applications so far.
    sources: Vec<(Credential, Arc<TokenSource>)>,
}

impl Builder<'_> {
    fn state(&mut self) -> Option<ProxyState> {
        let upstream = self.config.upstream();
        let network = self.network();
        let graph = self.origin(upstream.graph());
        let keys = self.keys();
        let tokens = self.applications(network.as_ref(), graph.as_ref());
        let consumers = self.config.consumers().iter().zip(tokens);
        let consumers: Vec<_> = consumers
            .map(|(it, tokens)| self.consumer(it, network.as_ref(), keys.as_ref(), tokens))
            .collect();
        let network = network?;
        let settings = Settings { graph: graph?, network: network.clone(), max_body: MAX_BODY };
        let client = self.built(GraphClient::new(settings));
        Some(ProxyState {
            graph: client?,
            forwards: matches!(upstream.credential(), UpstreamCredential::Forward { .. }),
            hosts: self.hosts(),
            trusted_proxies: self.config.trusted_proxies().clone(),
            consumers: Consumers::new(consumers.into_iter().collect::<Option<_>>()?),
            key_sources: std::mem::take(&mut self.key_sources).complete(),
            network,
        })
    }

    fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// A client that cannot be built is the machine's fault, not a line's.
    fn built<T, E: Display>(&mut self, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| {
                self.report(Diagnostic::error(config::codes::CONFIG_FILE, 0..0, error.to_string()));
            })
            .ok()
    }

    fn hosts(&self) -> Hosts {
        let public = self.config.public_url();
        Hosts {
            public: (public.host().to_owned(), public.port()),
            default_port: if public.is_https() { 443 } else { 80 },
            listen: self.config.listen(),
        }
    }

    fn network(&mut self) -> Option<Network> {
        let config::Timeouts { connect, response, idle } = self.config.upstream().timeouts();
        let timeouts = Timeouts { connect, head: response, idle, ..Timeouts::default() };
        let (extra_roots, proxies) = (self.extra_roots(), self.built(Proxies::from_env()));
        Some(Network { extra_roots: extra_roots?, timeouts, proxies: proxies? })
    }

    fn origin(&mut self, url: &BaseUrl) -> Option<Origin> {
        let parts = url.as_str().parse::<Uri>().ok()?.into_parts();
        let origin = Origin::new(parts.scheme?, parts.authority?);
        origin
            .map_err(|error| {
                self.report(Diagnostic::error(config::codes::CONFIG_VALUE, 0..0, error.to_string()))
            })
            .ok()
    }

    fn extra_roots(&mut self) -> Option<Vec<CertificateDer<'static>>> {
        let Some(file) = self.config.upstream().ca() else { return Some(Vec::new()) };
        let roots =
            CertificateDer::pem_file_iter(file.path()).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match roots {
            Ok(roots) if !roots.is_empty() => Some(roots),
            Ok(_) => {
                self.report(file.unusable(&"the file has no certificate (`-----BEGIN CERTIFICATE-----`)"));
                None
            }
            Err(error) => {
                self.report(file.unusable(&format_args!("the file cannot be read as PEM: {error}")));
                None
            }
        }
    }

    fn keys(&mut self) -> Option<KeyRing> {
        let source = self.config.keys();
        let text = read_secret(source).map_err(|error| self.report(source.unusable(&error))).ok()?;
        KeyRing::parse(&text).map_err(|error| self.report(source.unusable(&error))).ok()
    }

    fn known_by(&mut self, consumer: &config::Consumer, network: Option<&Network>) -> Option<KnownBy> {
        match consumer.credential() {
            ConsumerCredential::Bearer(hashes) => Some(KnownBy::Bearer(hashes.clone())),
            ConsumerCredential::Certificate(names) => Some(KnownBy::Certificate(names.clone())),
            ConsumerCredential::Jwt(jwt) => {
                let keys = self.issuer_keys(&jwt.keys, network)?;
                Some(KnownBy::Jwt(Verifier::new(jwt.expected.clone(), keys)))
            }
        }
    }

    fn issuer_keys(&mut self, location: &JwksLocation, network: Option<&Network>) -> Option<Arc<KeySource>> {
        match location {
            JwksLocation::File(file) => {
                self.key_sources.file(file).map_err(|error| self.report(file.unusable(&error))).ok()
            }
            JwksLocation::Url(url) => {
                let source = self.key_sources.url(url, network?);
                self.built(source)
            }
        }
    }

    fn consumer(
        &mut self,
        consumer: &config::Consumer,
        network: Option<&Network>,
        keys: Option<&KeyRing>,
        tokens: Option<Option<Arc<TokenSource>>>,
    ) -> Option<Arc<Consumer>> {
        let known_by = self.known_by(consumer, network);
        let (plan, rules) = self.plan(consumer)?;
        let graph = graph::Origin::parse(self.config.upstream().graph().as_str()).ok()?;
        let addresses = AddressPolicy {
            domains: plan.domains,
            listed: self.config.tenant_domains().to_vec(),
            plus_tags: plan.plus_tags,
        };
        let pseudonyms = Arc::new(keys?.pseudonyms(consumer.pseudonym_domain(), &addresses));
        let policy = Policy {
            plan,
            keys: Arc::clone(&pseudonyms) as Arc<dyn Keys>,
            graph,
            public_url: self.config.public_url().as_str().into(),
        };
        let now = Consumer::new(consumer.clone(), known_by?, (policy, rules), pseudonyms, tokens?);
        let before =
            self.earlier.and_then(|state| state.consumers.iter().find(|it| *it.name() == *consumer.name()));
        Some(Arc::new(now.continuing(before.map(Arc::as_ref))))
    }

    fn plan(&mut self, consumer: &config::Consumer) -> Option<(Arc<Plan>, String)> {
        let path: &Path = consumer.rules().path();
        let text = read_text(path).map_err(|error| self.report(consumer.rules().unusable(&error))).ok()?;
        let compiled = rules::compile(&path.display().to_string(), &text);
        if !compiled.report.diagnostics.is_empty() {
            self.reports.push(compiled.report);
        }
        compiled.plan.map(|plan| (Arc::new(plan), text))
    }
}
