//! Whose tokens: everything that decides about them, from the configuration or from options.

use std::path::{Path, PathBuf};

use crate::cli::error::Error;
use crate::cli::{input, options};
use crate::config::files::read_secret;
use crate::config::{Config, Consumer, Source, is_name};
use crate::service::read_config;
use glassine_core::pseudonym::{AddressPolicy, DomainMode, KeyRing, OwnDomain, PlusTags, Pseudonyms};

/// The options.
#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The proxy's configuration: the keys, the consumer's pseudonym domain and rules, and the tenant's domains are as
    /// there.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keys", "tenant_domains", "rules"])]
    config: Option<PathBuf>,
    /// The key file, if there is no `--config`.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    keys: Option<PathBuf>,
    /// The consumer's name: no two consumers get the same pseudonyms. Without `--config`: its pseudonym domain.
    #[arg(long, value_name = "NAME")]
    consumer: String,
    /// A domain of the tenant, or `*.contoso.com` for all below one. Stays readable beside a pseudonym. May be repeated.
    #[arg(long = "tenant-domain", value_name = "DOMAIN", value_parser = options::domain)]
    tenant_domains: Vec<OwnDomain>,
    /// The consumer's rules, which decide about domains and plus tags. Without this option: the defaults.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

/// No configuration can have a consumer of this name, so its tokens would join nothing.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no name of a consumer: a name has up to 64 lower-case letters, digits and hyphens")]
pub(in crate::cli) struct NoName(String);

/// The configuration has no consumer of this name.
#[derive(Debug, thiserror::Error)]
#[error("{}: no consumer is called `{name}`{hint}; the consumers are {}", file.display(), known.join(", "))]
pub(in crate::cli) struct UnknownConsumer {
    file: PathBuf,
    name: String,
    known: Vec<String>,
    hint: String,
}

const NO_DOMAIN: &str = "\
note: no `--tenant-domain`: every domain becomes a token, and nothing is at an own domain. If the configuration has
      `tenant_domains`, these are other tokens than the proxy's: use `--config`, or name the domains.
";

impl Whose {
    /// The consumer's pseudonyms, and how it is decided about addresses.
    pub(super) fn pseudonyms(&self) -> Result<(Pseudonyms, AddressPolicy), Error> {
        let (ring, domain, policy) = match &self.config {
            Some(file) => configured(file, &self.consumer)?,
            None => self.of_options()?,
        };
        Ok((ring.pseudonyms(&domain, &policy), policy))
    }

    fn of_options(&self) -> Result<(KeyRing, String, AddressPolicy), Error> {
        if !is_name(&self.consumer) {
            return Err(NoName(self.consumer.clone()).into());
        }
        let plan = self.rules.as_deref().map(input::rules).transpose()?;
        let policy = options::addresses(plan.as_ref(), &self.tenant_domains);
        // Never absent: clap demands it where `--config` is absent.
        let keys = self.keys.as_deref().unwrap_or(Path::new(""));
        Ok((input::keys(keys)?, self.consumer.clone(), policy))
    }

    /// What somebody who forgot the own domains should know.
    pub(super) fn note(&self, policy: &AddressPolicy) -> Option<&'static str> {
        let matters = policy.domains == DomainMode::KeepListed || policy.plus_tags == PlusTags::StripOwn;
        (self.config.is_none() && policy.own.is_empty() && matters).then_some(NO_DOMAIN)
    }
}

fn configured(file: &Path, name: &str) -> Result<(KeyRing, String, AddressPolicy), Error> {
    let (_, _, config) = read_config(file)?;
    let consumers = config.consumers();
    let found = consumers.iter().find(|consumer| consumer.name() == name);
    let consumer = found.ok_or_else(|| UnknownConsumer::new(file, name, consumers))?;
    let plan = input::rules(consumer.rules().path())?;
    let policy = options::addresses(Some(&plan), config.tenant_domains());
    Ok((ring(&config)?, consumer.pseudonym_domain().to_owned(), policy))
}

fn ring(config: &Config) -> Result<KeyRing, Error> {
    let text = read_secret(config.keys())?;
    let file = match config.keys() {
        Source::File(file) => file.path().to_owned(),
        Source::Environment { name, .. } => PathBuf::from(name),
    };
    KeyRing::parse(&text).map_err(|error| Error::Keys { file, error })
}

impl UnknownConsumer {
    fn new(file: &Path, name: &str, consumers: &[Consumer]) -> Self {
        let known: Vec<_> = consumers.iter().map(|consumer| consumer.name().to_owned()).collect();
        let other_case = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        let hint = other_case.map(|known| format!(" (did you mean `{known}`? letter case counts)"));
        Self { file: file.to_owned(), name: name.to_owned(), known, hint: hint.unwrap_or_default() }
    }
}
