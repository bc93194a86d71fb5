//! `glassine doctor`: looks at everything that a deployment depends on, and says of what is wrong how to mend it.
//!
//! | file | what |
//! |---|---|
//! | `findings`, `render` | checks with their outcomes; how people read them |
//! | `configuration` | the configuration file and the rules |
//! | `network`, `clock` | DNS, TCP, TLS and HTTP to Graph and Entra, and what time it is there |
//! | `token`, `permissions` | what Entra gives, against what the rules need |
//! | `consumers` | who is asked for with which application |
//! | `endpoints`, `known`, `trouble` | one request to each endpoint, what its path is filled with, and what a no means |
//! | `mailboxes` | which mailboxes the application opens |
//! | `secrets`, `certificates` | keys, file modes, ends of certificates |
//! | `public_url` | whether this proxy is where consumers look for it |
//!
//! Requests to Graph go through `proxy` as a consumer's do. A finding holds no address, id, token or value of the tenant.
//! Every wait has a limit, and all limits together stay under a minute.

mod certificates;
mod clock;
mod configuration;
mod consumers;
mod endpoints;
mod findings;
mod known;
mod mailboxes;
mod network;
mod permissions;
mod public_url;
mod render;
mod secrets;
mod token;
mod trouble;

use std::sync::Arc;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use consumers::{Examined, Reach};
use findings::{Finding, Section};
use network::{ENTRA, GRAPH, Heard};

pub(crate) use findings::Findings;
pub(crate) use mailboxes::Mailboxes;

use crate::config::Config;
use crate::proxy::ProxyState;

/// What is examined.
pub(crate) struct Subject {
    /// The configuration file's name and text.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) config: Config,
    pub(crate) mailboxes: Mailboxes,
}

/// Looks at everything.
pub(crate) async fn examine(subject: &Subject) -> Findings {
    let Subject { file, text, config, mailboxes } = subject;
    let now = Timestamp::now().as_second();
    let (state, reports) = match ProxyState::build(file, text, config) {
        Ok((state, reports)) => (Some(Arc::new(state)), reports),
        Err(error) => (None, error.reports),
    };
    let network = network::network(extra_roots(config));
    let (heard, public_url) =
        tokio::join!(network::hear(config, &network), public_url::check(config, &network));
    let examined = consumers::examine(subject, state.as_ref(), reach(&heard), now).await;

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

/// Which servers can be asked. One that nobody needs is no obstacle.
fn reach(heard: &[Heard]) -> Reach {
    let responses = |name| heard.iter().filter(|heard| heard.name() == name).all(Heard::is_response);
    Reach { graph: responses(GRAPH), entra: responses(ENTRA) }
}

/// Without those of a file that cannot be read: the configuration's findings say so.
fn extra_roots(config: &Config) -> Vec<CertificateDer<'static>> {
    let file = config.upstream().ca();
    file.and_then(|file| CertificateDer::pem_file_iter(file.path()).ok())
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}
