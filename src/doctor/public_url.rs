//! The public URL, seen from this machine: whether this proxy responds there, with a certificate that a client accepts.
//!
//! Before the first start of the proxy nothing responds. This is a warning, because the deployment may still be right.
//! If something listens on `listen`, a public URL that leads nowhere is a failure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use tokio::net::TcpStream;

use super::findings::{Finding, Outcome};
use super::network::{ProbeError, Step, probe};
use crate::config::{ClientCertificates, Config};
use crate::server::certificate::is_self_issued;
use crate::server::read_certificates;
use crate::upstream::{Network, ProbeResponse, UpstreamError};

/// Generous: a connection within this machine takes a millisecond.
const LOCAL: Duration = Duration::from_secs(1);

const CHECK: &str = "from here";

pub(super) async fn check(config: &Config, network: &Network) -> Finding {
    let url = config.public_url();
    match ask(config, network).await {
        Ok(response) => responded(config, &response),
        Err(error) if is_refused_handshake(config, &error) => {
            let message =
                format!("{url} responses and wants a client certificate, as `client_certificates` says");
            Finding::ok(CHECK, message)
        }
        Err(error) if error.step() == Step::Tls => match self_signed(config, network).await {
            Some(finding) => finding,
            None => Finding::fail(CHECK, format!("{url}: {error}"), tls_advice(config)),
        },
        Err(error) if error.step() == Step::Http => {
            Finding::fail(CHECK, format!("{url}: {error}"), not_ours(config))
        }
        Err(error) => unreachable(config, &error, listens(config.listen()).await),
    }
}

async fn ask(config: &Config, network: &Network) -> Result<ProbeResponse, ProbeError> {
    let url = config.public_url();
    probe(url.origin(), &format!("{}/v1.0/", url.path()), network).await
}

/// A warning if this proxy responds there with its own self-signed certificate, as `glassine init` makes it for a start.
async fn self_signed(config: &Config, network: &Network) -> Option<Finding> {
    let (url, file) = (config.public_url(), config.tls()?.certificate.path());
    let root = read_certificates(file).ok()?.pop().filter(is_self_issued)?;
    let roots = network.extra_roots.iter().cloned().chain([root]).collect();
    let response = ask(config, &super::network::network(roots)).await.ok()?;
    let file = file.display();
    let message = format!("{url} is this proxy, and its certificate is self-signed ({file})");
    let advice = format!(
        "give consumers {file} as an authority to trust, or put a certificate into it whose authority they know, and its key beside it"
    );
    (responded(config, &response).outcome == Outcome::Ok).then(|| Finding::warn(CHECK, message, advice))
}

/// Without a credential, this proxy responds with 401 and names its realm.
fn responded(config: &Config, response: &ProbeResponse) -> Finding {
    let url = config.public_url();
    let challenge = response.headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let ours = challenge.is_some_and(|challenge| challenge.starts_with("Bearer realm=\"glassine\""));
    if ours && response.status == StatusCode::UNAUTHORIZED {
        return Finding::ok(CHECK, format!("{url} is this proxy: it refuses a request without a credential"));
    }
    let message =
        format!("{url} responds with status {}, and not as this proxy does", response.status.as_u16());
    Finding::fail(CHECK, message, not_ours(config))
}

fn not_ours(config: &Config) -> String {
    format!(
        "let what responds there (load balancer, ingress, another program) pass requests on to {} unchanged, or correct `public_url`",
        config.listen()
    )
}

fn tls_advice(config: &Config) -> String {
    let (host, port) = (config.public_url().origin().host(), config.public_url().origin().port());
    format!(
        "see the chain: `openssl s_client -connect {host}:{port} -servername {host} </dev/null`\n\
         use a certificate that names {host}, its intermediates in the same file; if a private authority issued it, \
         its clients have to know that authority, and this machine by `upstream.ca_file` or its system's roots"
    )
}

fn unreachable(config: &Config, error: &ProbeError, running: bool) -> Finding {
    let (url, listen) = (config.public_url(), config.listen());
    if running {
        let message = format!("{url}: {error}; but something listens on {listen}");
        let advice = format!(
            "point the name {} at this proxy (DNS), and open the way to it (load balancer, firewall); \
             if only this machine cannot reach it, ask from where consumers are",
            url.origin().host()
        );
        return Finding::fail(CHECK, message, advice);
    }
    Finding::warn(
        CHECK,
        format!("{url}: nobody responds, and nothing listens on {listen}: the proxy is not running here"),
        "start it with `glassine serve --config FILE`, then run the doctor again",
    )
}

/// Whether the server ended the handshake because the doctor sent no client certificate.
fn is_refused_handshake(config: &Config, error: &ProbeError) -> bool {
    let wanted = config.tls().is_some_and(|tls| {
        tls.client_ca.is_some() && tls.client_certificates == ClientCertificates::Required
    });
    let missed = matches!(error, ProbeError::Upstream(UpstreamError::ClientCertificate));
    wanted && (missed || error.step() == Step::Http)
}

/// Whether something accepts connections on the proxy's address.
async fn listens(listen: SocketAddr) -> bool {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let connecting = TcpStream::connect(SocketAddr::new(ip, listen.port()));
    matches!(tokio::time::timeout(LOCAL, connecting).await, Ok(Ok(_)))
}
