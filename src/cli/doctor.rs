//! `glassine doctor`: whether a deployment works, and if not, what to do.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::error::Error;
use super::options::Format;
use super::runtime::runtime;
use super::{ExitStatus, Streams};
use crate::doctor::{Findings, Mailboxes, Named, Report, Subject, ask_live_facts, examine};
use crate::service::read_config;
use glassine_core::graph::is_guid;

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
    /// Ask Graph and Entra the questions that no document settles, and print a report to paste into an issue (docs/LIVE-CHECK.md).
    ///
    /// The other checks do not run. Exit code 1 if Graph does something else than the sample tenant, or no question can be asked.
    #[arg(long)]
    live_facts: bool,
    /// A room mailbox for --live-facts: its id or userPrincipalName. No output repeats it.
    #[arg(long, value_name = "ID", value_parser = account, requires = "live_facts")]
    room: Option<String>,
    /// A shared mailbox for --live-facts.
    #[arg(long, value_name = "ID", value_parser = account, requires = "live_facts")]
    shared: Option<String>,
    /// A guest for --live-facts.
    #[arg(long, value_name = "ID", value_parser = account, requires = "live_facts")]
    guest: Option<String>,
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

/// An account's object id or its address.
fn account(text: &str) -> Result<String, NotAnAddress> {
    if is_guid(text) { Ok(text.to_owned()) } else { address(text) }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let subject = subject(args)?;
    let is_good = if args.live_facts {
        let report = wait_for(ask_live_facts(&subject, &named(args)))?;
        print(args.format, &report, Report::render, streams)?;
        report.is_as_assumed()
    } else {
        let findings = wait_for(examine(&subject))?;
        print(args.format, &findings, Findings::render, streams)?;
        findings.are_good()
    };
    Ok(if is_good { ExitStatus::Yes } else { ExitStatus::No })
}

fn subject(args: &Args) -> Result<Subject, Error> {
    let (file, text, config) = read_config(&args.config)?;
    let mailboxes = Mailboxes { inside: args.mailbox_in.clone(), outside: args.mailbox_out.clone() };
    Ok(Subject { file, text, config, mailboxes })
}

fn named(args: &Args) -> Named {
    let Args { mailbox_in, room, shared, guest, .. } = args;
    Named { user: mailbox_in.clone(), room: room.clone(), shared: shared.clone(), guest: guest.clone() }
}

fn wait_for<T>(checking: impl Future<Output = T>) -> Result<T, Error> {
    let runtime = runtime()?;
    let result = runtime.block_on(checking);
    // Do not wait for a DNS lookup that is still running.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(result)
}

fn print<T: Serialize>(
    format: Format,
    output: &T,
    render: fn(&T) -> String,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    match format {
        Format::Text => streams.print(render(output).as_bytes()),
        Format::Json => streams.print_json(output),
    }
}
