//! `glassine pseudonym ADDRESS…`: the tokens of known values. No command turns a token back into its value.

use std::path::PathBuf;

use clap::ValueEnum;

use super::error::Error;
use super::{ExitStatus, Streams, input, options};
use glassine_core::pseudonym::{Class, Outcome, OwnDomain, Pseudonyms};

/// Print the pseudonyms of addresses or other values, one per line, as one consumer gets them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The key file.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The consumer's name: no two consumers get the same pseudonyms.
    #[arg(long, value_name = "NAME")]
    consumer: String,
    /// A domain of the tenant, which stays readable beside a pseudonym. May be repeated.
    #[arg(long = "tenant-domain", value_name = "DOMAIN", value_parser = options::domain)]
    tenant_domains: Vec<OwnDomain>,
    /// The consumer's rules, which decide about domains and plus tags. Without this option: the defaults.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The kind of the values.
    #[arg(long = "as", value_enum, default_value_t, value_name = "KIND")]
    kind: Kind,
    /// Make `p~` tokens, which this consumer can use in requests. For ids only.
    #[arg(long)]
    reversible: bool,
    /// The values.
    #[arg(required = true, value_name = "ADDRESS")]
    values: Vec<String>,
}

/// The kinds of values, named as in rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    #[default]
    Email,
    Id,
    Thread,
    MessageId,
    Text,
    Ip,
    Domain,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    if args.reversible && args.kind != Kind::Id {
        return Err(Error::Reversible);
    }
    let plan = args.rules.as_deref().map(input::rules).transpose()?;
    let policy = options::addresses(plan.as_ref(), &args.tenant_domains);
    let pseudonyms = input::keys(&args.keys)?.pseudonyms(&args.consumer, &policy);
    let mut tokens = Vec::new();
    for (index, value) in args.values.iter().enumerate() {
        if write(args, value, &pseudonyms, &mut tokens) != Outcome::Written {
            return Err(Error::Value(index.saturating_add(1)));
        }
        tokens.push(b'\n');
    }
    streams.print(&tokens)?;
    Ok(ExitStatus::Yes)
}

fn write(args: &Args, value: &str, pseudonyms: &Pseudonyms, out: &mut Vec<u8>) -> Outcome {
    match args.kind {
        Kind::Email => pseudonyms.email(value, out),
        Kind::Id if args.reversible => pseudonyms.reversible(Class::Id, value, out),
        Kind::Id => pseudonyms.id(value, out),
        Kind::Thread => pseudonyms.thread(value, out),
        Kind::MessageId => pseudonyms.message_id(value, out),
        Kind::Text => pseudonyms.text(value, out),
        Kind::Ip => pseudonyms.ip(value, out),
        Kind::Domain => pseudonyms.domain(value, out),
    }
}
