//! `glassine doctor`: checks everything that a deployment depends on, and explains how to fix each problem.
//!
//! | file | what |
//! |---|---|
//! | `findings`, `render` | checks with their outcomes; their text for people |
//! | `configuration` | the configuration file and the rules |
//! | `network`, `clock` | DNS, TCP, TLS and HTTP to Graph and Entra; their clocks |
//! | `token`, `permissions` | the access token, and its permissions against those that the rules need |
//! | `consumers` | the checks for each consumer, and the applications that consumers share |
//! | `endpoints`, `known`, `trouble` | one request to each endpoint, the values in its path, and the advice on an error |
//! | `running` | whether a running proxy is ready, and whether its token is older than a grant |
//! | `witness` | which permissions work, for a token that cannot be read |
//! | `own_domains` | whether `tenant_domains` lists the domains of the users' addresses |
//! | `mailboxes` | which mailboxes the application can open |
//! | `secrets`, `certificates` | keys, file modes, expiry of certificates |
//! | `public_url` | whether consumers reach this proxy at its public URL |
//! | `live_facts` | what Graph does where no document says it, for `--live-facts` |
//!
//! Requests to Graph go through `proxy`, as a consumer's requests do. A finding contains no address, id, token or value
//! from the tenant. Every wait has a limit, and all limits together stay under a minute.

mod certificates;
mod clock;
mod configuration;
mod consumers;
mod endpoints;
mod findings;
mod known;
mod live_facts;
mod mailboxes;
mod network;
mod own_domains;
mod permissions;
mod public_url;
mod render;
mod running;
mod secrets;
mod token;
mod trouble;
mod witness;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use consumers::{Examined, Reach};
use findings::{Finding, Section};
use network::{ENTRA, GRAPH, Heard};
use running::Running;

pub(crate) use findings::Findings;
pub(crate) use live_facts::{Named, Report, ask_live_facts};
pub(crate) use mailboxes::Mailboxes;
pub(crate) use witness::witness;

use crate::config::Config;
use crate::proxy::ProxyState;
use crate::service::places;
use glassine_core::diagnostic;

/// The deployment to examine.
pub(crate) struct Subject {
    /// The configuration file's name and text.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) config: Config,
    pub(crate) mailboxes: Mailboxes,
}

/// Runs all checks.
pub(crate) async fn examine(subject: &Subject) -> Findings {
    let Subject { file, text, config, mailboxes } = subject;
    let now = Timestamp::now().as_second();
    let (state, mut reports) = match ProxyState::build(file, text, config) {
        Ok((state, reports)) => (Some(Arc::new(state)), reports),
        Err(error) => (None, error.reports),
    };
    reports.push(diagnostic::Report::new(file, text, places(Path::new(file), config)));
    let network = network::network(extra_roots(config));
    let (heard, public_url, running) = tokio::join!(
        network::hear(config, &network),
        public_url::check(config, &network),
        Running::of(config, &network)
    );
    let examined = consumers::examine(subject, state.as_ref(), reach(&heard), &running, now).await;

    let mut findings = Findings::default();
    findings.add(
        Section::Configuration,
        None,
        configuration::check(file, config, state.as_deref(), &reports),
    );
    findings.add(Section::Clock, None, heard.iter().map(|heard| clock::check(heard.name(), heard.ahead())));
    findings.add(Section::Network, None, heard.iter().flat_map(Heard::check));
    add_consumers(examined, &mut findings);
    findings.add(Section::Mailboxes, None, mailboxes::unnamed(mailboxes));
    findings.add(Section::Keys, None, secrets::check(config));
    findings.add(Section::Certificates, None, certificates::check(config, now));
    findings.add(Section::PublicUrl, None, [public_url]);
    findings.add(Section::Running, None, Running::unread(config));
    findings.add(Section::Running, None, running.troubles(config));
    findings
}

fn add_consumers(examined: Examined, findings: &mut Findings) {
    let Examined { tokens, consumers } = examined;
    findings.add(Section::Token, None, tokens);
    let mut add = |section, of: fn(&consumers::Report) -> &Vec<Finding>| {
        for report in &consumers {
            findings.add(section, Some(&report.consumer), of(report).iter().cloned());
        }
    };
    add(Section::Permissions, |report| &report.permissions);
    add(Section::Endpoints, |report| &report.endpoints);
    add(Section::Mailboxes, |report| &report.mailboxes);
}

/// Which servers respond. A server that the configuration does not need counts as responding.
fn reach(heard: &[Heard]) -> Reach {
    let responds = |name| heard.iter().filter(|heard| heard.name() == name).all(Heard::is_response);
    Reach { graph: responds(GRAPH), entra: responds(ENTRA) }
}

/// The roots of `upstream.ca_file`. None if the file cannot be read, which the configuration's findings report.
fn extra_roots(config: &Config) -> Vec<CertificateDer<'static>> {
    let file = config.upstream().ca();
    file.and_then(|file| CertificateDer::pem_file_iter(file.path()).ok())
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}
