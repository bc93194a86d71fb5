//! The `connect` section: the pages on which a data source is connected.

use std::time::Duration;

use super::check::Context;
use super::raw::{self, Text};
use super::{Consumer, FileRef, Upstream};
use crate::config::codes::CONFIG_VALUE;

/// Names that a consumer cannot have, because pages of their own are there.
const PAGES: [&str; 3] = ["consented", "keys", "signed-in"];

/// How long a consent is waited for: it shows in tokens after some seconds.
const DEFAULT_WAIT: Duration = Duration::from_secs(15);

/// A browser would give up before.
const MAX_WAIT_SECONDS: u64 = 60;

/// The connection pages are wanted.
#[derive(Clone, Debug)]
pub struct Connect {
    file: FileRef,
    wait: Duration,
}

impl Connect {
    /// The file in which the state of connections is kept.
    pub fn file(&self) -> &FileRef {
        &self.file
    }

    /// How long a consent is waited for.
    pub fn wait(&self) -> Duration {
        self.wait
    }
}

pub(super) fn check_connect(connect: &raw::Connect, context: &mut Context<'_>) -> Option<Connect> {
    let file = context.file(&connect.file);
    let wait = context.seconds(connect.wait_seconds.as_ref(), MAX_WAIT_SECONDS, DEFAULT_WAIT);
    Some(Connect { file: file?, wait: wait? })
}

/// Codes are redeemed, and consent is asked for, in the name of an app registration.
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
        "the connection pages need an app registration's own credential",
        "use a client secret, a certificate or a federated token in `upstream.credential` or in each consumer's `application`, or leave `connect` out",
    )
}

/// What of the consumers goes with the connection pages, or does not go without them.
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
            "nothing returns to this URL without the connection pages",
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
        "the connection pages have a page of this name",
        "give the consumer another name than `consented`, `keys` and `signed-in`",
    )
}
