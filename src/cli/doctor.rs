//! `glassine doctor`: whether a deployment works, and if not, what to do.

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
/// Sends requests to Graph and Entra as the proxy would, one to each endpoint of the rules, and shows no value from the
/// responses. Exit code 1 if a check fails.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A mailbox that the application must be able to open: its userPrincipalName.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    mailbox_in: Option<String>,
    /// A mailbox that the application must not be able to open: its userPrincipalName.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    mailbox_out: Option<String>,
    /// The format of the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The text is not the address of an account.
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
    // Do not wait for a DNS lookup that is still running.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(findings)
}
