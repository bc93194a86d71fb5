//! The `connect` section: the pages on which an administrator connects a data source.

use std::net::IpAddr;
use std::time::Duration;

use super::check::{Context, optional};
use super::consumer::check_allowed;
use super::raw::{self, Text};
use super::{Consumer, FileRef, Networks, Upstream};
use crate::config::codes::CONFIG_VALUE;

/// Names that a consumer cannot have, because the connection pages use these paths.
const PAGES: [&str; 3] = ["consented", "keys", "signed-in"];

/// How long the pages wait for a consent to show in tokens, which takes some seconds.
const DEFAULT_WAIT: Duration = Duration::from_secs(15);

/// Browsers do not wait longer.
const MAX_WAIT_SECONDS: u64 = 60;

/// The settings of the connection pages.
#[derive(Clone, Debug)]
pub struct Connect {
    file: FileRef,
    wait: Duration,
    /// Empty: all addresses are allowed.
    allow_from: Networks,
}

impl Connect {
    /// The file that stores the state of connections.
    pub fn file(&self) -> &FileRef {
        &self.file
    }

    /// How long the pages wait for a consent to show in tokens.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// The addresses of browsers that may see the pages; empty: all.
    pub(super) fn allow_from(&self) -> &Networks {
        &self.allow_from
    }

    /// Whether a browser at `address` may see the pages. `None`: its address is not known.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        self.allow_from.is_empty() || address.is_some_and(|address| self.allow_from.contain(address))
    }
}

pub(super) fn check_connect(connect: &raw::Connect, context: &mut Context<'_>) -> Option<Connect> {
    let file = context.file(&connect.file);
    let wait = context.seconds(connect.wait_seconds.as_ref(), MAX_WAIT_SECONDS, DEFAULT_WAIT);
    let allow_from = connect.allow_from.as_ref().and_then(|it| it.0.as_ref());
    let allow_from = optional(allow_from, |it| check_allowed(it, context));
    Some(Connect { file: file?, wait: wait?, allow_from: allow_from?.unwrap_or_default() })
}

/// Checks that all consumers have an app registration: the pages redeem codes and request consent in its name.
pub(super) fn check_credentials(
    connect: &Connect,
    upstream: &Upstream,
    consumers: &[Consumer],
    context: &mut Context<'_>,
) -> Option<()> {
    let credentials =
        consumers.iter().map(|consumer| consumer.application().unwrap_or(upstream.credential()));
    if credentials.into_iter().all(|credential| credential.client_id().is_some()) {
        return Some(());
    }
    context.refuse(
        CONFIG_VALUE,
        &connect.file.span,
        "the connection pages need the credential of an app registration",
        "use a client secret, a certificate or a federated token in `upstream.credential` or in each consumer's `application`, or leave `connect` out",
    )
}

/// Checks that the consumers fit the connection pages, or do without them.
pub(super) fn check_consumers(
    wanted: bool,
    consumers: &[raw::Consumer],
    context: &mut Context<'_>,
) -> Option<()> {
    let checked: Vec<_> =
        consumers.iter().map(|consumer| check_consumer(wanted, consumer, context)).collect();
    checked.into_iter().collect()
}

fn check_consumer(wanted: bool, consumer: &raw::Consumer, context: &mut Context<'_>) -> Option<()> {
    match &consumer.return_url {
        Some(url) if !wanted => context.refuse(
            CONFIG_VALUE,
            &url.span,
            "only the connection pages use this URL, and they are not configured",
            "add `connect: { file: connections.json }`, or leave `return_url` out",
        ),
        _ if wanted => check_name(&consumer.name, context),
        _ => Some(()),
    }
}

fn check_name(name: &Text, context: &mut Context<'_>) -> Option<()> {
    if !PAGES.contains(&name.value.as_str()) {
        return Some(());
    }
    context.refuse(
        CONFIG_VALUE,
        &name.span,
        "the connection pages use this name",
        "give the consumer another name than `consented`, `keys` and `signed-in`",
    )
}
