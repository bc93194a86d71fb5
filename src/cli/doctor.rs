//! `glassine doctor`: whether a set-up is right, and if not, what to do.

use std::path::PathBuf;
use std::time::Duration;

use super::error::Error;
use super::options::Format;
use super::runtime::runtime;
use super::{ExitStatus, Streams};
use crate::doctor::{Findings, Mailboxes, Subject, examine};
use crate::service::read_config;

/// Look at everything that a deployment depends on: clock, network, token, permissions, endpoints, keys, certificates.
///
/// Asks Graph and Entra as the proxy would, one request to each endpoint of the rules, and shows no value of what came
/// back. Exit code 1 if a check fails.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A mailbox that the application has to open; by its userPrincipalName.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    mailbox_in: Option<String>,
    /// A mailbox that the application must not open.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    mailbox_out: Option<String>,
    /// How the findings are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is no address of an account.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected an address such as name@contoso.com")]
struct NotAnAddress;

fn address(text: &str) -> Result<String, NotAnAddress> {
    let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
    let is_plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '/');
    if is_plain && !local.is_empty() && !domain.is_empty() { Ok(text.to_owned()) } else { Err(NotAnAddress) }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let findings = look(args)?;
    match args.format {
        Format::Text => streams.print(findings.render().as_bytes())?,
        Format::Json => streams.print_json(&findings)?,
    }
    Ok(if findings.are_good() { ExitStatus::Yes } else { ExitStatus::No })
}

fn look(args: &Args) -> Result<Findings, Error> {
    let (file, text, config) = read_config(&args.config)?;
    let mailboxes = Mailboxes { inside: args.mailbox_in.clone(), outside: args.mailbox_out.clone() };
    let runtime = runtime()?;
    let findings = runtime.block_on(examine(&Subject { file, text, config, mailboxes }));
    // A name that still resolves would be waited for.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(findings)
}
