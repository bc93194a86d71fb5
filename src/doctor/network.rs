//! DNS, TCP, TLS and HTTP to Graph and to Entra: one request to each, without a credential. The error shows which step
//! failed. `clock` compares this machine's clock with the dates of the responses.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;

use super::findings::Finding;
use crate::config::{Config, UpstreamCredential};
use crate::upstream::{
    ConnectorError, Network, Phase, Probe, ProbeResponse, Proxies, Timeouts, UpstreamError, clock_ahead,
};
use glassine_core::graph::Origin;

/// The limits of a probe: short, because all checks together stay under a minute.
const LIMITS: Timeouts = Timeouts {
    connect: Duration::from_secs(6),
    head: Duration::from_secs(12),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(5),
};

/// A server that the proxy has to reach.
struct Server {
    name: &'static str,
    /// The configuration key that names the server.
    key: &'static str,
    origin: Origin,
    target: String,
    /// The advice on a status other than 200. `None` if every status is fine.
    otherwise: Option<&'static str>,
}

/// The outcome of a probe.
pub(super) struct Heard {
    server: Server,
    /// Whether the connection goes through a forward proxy.
    tunnelled: bool,
    response: Result<ProbeResponse, ProbeError>,
    /// This machine's time halfway between the request and the response.
    at: Timestamp,
}

/// Why a probe got no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    #[error(transparent)]
    Build(#[from] ConnectorError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// The steps to a response, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Dns,
    Tcp,
    Tls,
    Http,
}

pub(super) const GRAPH: &str = "Graph";
pub(super) const ENTRA: &str = "Entra";

/// The advice if Entra does not know the tenant.
pub(super) const NO_TENANT: &str = "set `upstream.tenant` to the Directory (tenant) ID on the app registration's Overview page; \
     for a national cloud, `upstream.cloud` too";

const STEPS: [Step; 4] = [Step::Dns, Step::Tcp, Step::Tls, Step::Http];

/// Probes connect as the proxy does, but with shorter time limits.
pub(super) fn network(extra_roots: Vec<CertificateDer<'static>>) -> Network {
    // The configuration's findings report a malformed HTTPS_PROXY.
    let proxies = Proxies::from_env().unwrap_or_default();
    Network { extra_roots, timeouts: LIMITS, proxies, ..Network::default() }
}

/// Sends a GET and reads the head of the response.
pub(super) async fn probe(
    origin: &Origin,
    target: &str,
    network: &Network,
) -> Result<ProbeResponse, ProbeError> {
    Ok(Probe::new(origin.clone(), network)?.get(target).await?)
}

/// Probes Graph and, if a credential needs it, Entra, both concurrently.
pub(super) async fn hear(config: &Config, network: &Network) -> Vec<Heard> {
    let servers = std::iter::once(graph(config)).chain(entra(config));
    let tasks: Vec<_> = servers.map(|server| tokio::spawn(server.hear(network.clone()))).collect();
    let mut heard = Vec::new();
    for task in tasks {
        heard.extend(task.await);
    }
    heard
}

fn graph(config: &Config) -> Server {
    let (origin, target) = (config.upstream().graph().clone(), "/v1.0/".to_owned());
    Server { name: GRAPH, key: "upstream.graph", origin, target, otherwise: None }
}

/// Requests the tenant's OpenID configuration, which shows whether the tenant exists.
fn entra(config: &Config) -> Option<Server> {
    let upstream = config.upstream();
    let own = config.consumers().iter().filter_map(|consumer| consumer.application());
    let tenant = std::iter::once(upstream.credential()).chain(own).find_map(UpstreamCredential::tenant)?;
    Some(Server {
        name: ENTRA,
        key: "upstream.authority",
        origin: upstream.authority().clone(),
        target: format!("/{tenant}/v2.0/.well-known/openid-configuration"),
        otherwise: Some(NO_TENANT),
    })
}

impl Server {
    async fn hear(self, network: Network) -> Heard {
        let before = Timestamp::now();
        let response = probe(&self.origin, &self.target, &network).await;
        let waited = Timestamp::now().duration_since(before) / 2;
        let tunnelled = network.proxies.stand_before(&self.origin);
        Heard { server: self, tunnelled, response, at: before.checked_add(waited).unwrap_or(before) }
    }

    fn passed(&self, step: Step, check: String, response: Option<&ProbeResponse>) -> Finding {
        let host = self.origin.host();
        match step {
            Step::Dns if host.address().is_some() => Finding::skip(check, format!("{host} needs no DNS")),
            Step::Dns => Finding::ok(check, format!("{host} has an address")),
            Step::Tcp => Finding::ok(check, format!("port {} is open", self.origin.port())),
            Step::Tls if !self.origin.is_https() => Finding::skip(check, "plaintext, within this machine"),
            Step::Tls => Finding::ok(check, "the certificate is trusted and names the host"),
            Step::Http => self.responded(check, response.map_or(StatusCode::OK, |response| response.status)),
        }
    }

    fn responded(&self, check: String, status: StatusCode) -> Finding {
        let message = format!("responds with status {}", status.as_u16());
        match self.otherwise {
            _ if status.is_server_error() => Finding::warn(
                check,
                message,
                "wait some minutes and run the doctor again; see https://status.cloud.microsoft",
            ),
            Some(advice) if status != StatusCode::OK => Finding::fail(check, message, advice),
            _ => Finding::ok(check, message),
        }
    }

    fn advice(&self, step: Step) -> String {
        let (key, host, port) = (self.key, self.origin.host(), self.origin.port());
        match step {
            Step::Dns => format!(
                "compare `{key}` with the documentation of your cloud, and ask this machine's resolver: `getent hosts {host}`"
            ),
            Step::Tcp => format!(
                "let this machine connect to {host}:{port} (firewall, routing): `nc -vz {host} {port}`; \
                 if connections must go through a forward proxy, name it in HTTPS_PROXY"
            ),
            Step::Tls => format!(
                "see who signs: `openssl s_client -connect {host}:{port} -servername {host} </dev/null`\n\
                 if your network inspects TLS, name its root certificate as `upstream.ca_file`, or exempt {host}; \
                 if the system has no roots, install the package ca-certificates"
            ),
            Step::Http => format!(
                "compare `{key}` with the documentation of your cloud, and see what responds in its place: `curl -v {}`",
                self.origin
            ),
        }
    }
}

impl Heard {
    pub(super) fn name(&self) -> &'static str {
        self.server.name
    }

    /// A finding for each step.
    pub(super) fn check(&self) -> Vec<Finding> {
        STEPS.map(|step| self.finding(step)).into()
    }

    fn finding(&self, step: Step) -> Finding {
        let check = format!("{} {}", self.server.name, step.name());
        match &self.response {
            Err(error) if error.step() == step => {
                Finding::fail(check, error.to_string(), self.server.advice(step))
            }
            Err(error) if error.step() < step => {
                Finding::skip(check, format!("{} fails", error.step().name()))
            }
            _ if step == Step::Dns && self.tunnelled => {
                Finding::skip(check, "the proxy that HTTPS_PROXY names resolves it")
            }
            response => self.server.passed(step, check, response.as_ref().ok()),
        }
    }

    pub(super) fn is_response(&self) -> bool {
        self.response.is_ok()
    }

    /// How many seconds this machine's clock is ahead of the server's.
    pub(super) fn ahead(&self) -> Option<i64> {
        clock_ahead(&self.response.as_ref().ok()?.headers, self.at)
    }
}

impl ProbeError {
    pub(super) fn step(&self) -> Step {
        match self {
            Self::Upstream(UpstreamError::Resolve | UpstreamError::Timeout(Phase::Resolve)) => Step::Dns,
            Self::Upstream(
                UpstreamError::Connect(_)
                | UpstreamError::Proxy
                | UpstreamError::Timeout(Phase::Connect | Phase::Proxy),
            ) => Step::Tcp,
            Self::Build(_)
            | Self::Upstream(
                UpstreamError::ClientCertificate | UpstreamError::Tls(_) | UpstreamError::Timeout(Phase::Tls),
            ) => Step::Tls,
            Self::Upstream(_) => Step::Http,
        }
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Http => "HTTP",
        }
    }
}
