//! `glassine demo`: the sample tenant and the proxy in front of it, without any configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;

use super::error::Error;
use super::options::Format;
use super::runtime::runtime;
use super::{ExitStatus, Streams, input};
use crate::demo::analytics::Analytics;
use crate::demo::consumers::{self, READY, RETURNING};
use crate::demo::folder::{Addresses, Folder};
use crate::demo::tenant::{self, Entra, Tenant, TransportFault};
use crate::service::logs::Form;
use crate::service::{Listeners, Service, Signals, bind};
use glassine_core::pseudonym::{AddressPolicy, Class, KeyRing};

/// The sample tenant is the same every time.
const SEED: u64 = 7;
/// One request in so many has a fault: most pages come whole, so a reader sees what a fault does to one.
const FAULT_EVERY: u64 = 10;

/// Starts an embedded sample tenant (a small Microsoft Graph look-alike) and the proxy in front of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the proxy listens. Port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where health and metrics are.
    #[arg(long, default_value = "127.0.0.1:9901", value_name = "ADDRESS")]
    admin_listen: SocketAddr,
    /// Where the sample tenant listens.
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    graph_listen: SocketAddr,
    /// Rules to use instead of the shipped ones, which open metadata only.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// How long a consent takes to reach tokens. Entra takes seconds to minutes.
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=3600))]
    entra_consent_delay: u64,
    /// Access tokens cannot be read, as Entra may issue them.
    #[arg(long)]
    entra_opaque_tokens: bool,
    /// Entra refuses the first token request of each application, and asks to wait for this long.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=3600))]
    entra_throttled: Option<u64>,
    /// How long each response from a mailbox takes. Then a fifth request at a time in one mailbox gets 429, as in Exchange.
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(..=60_000))]
    graph_latency: Option<u64>,
    /// What goes wrong in every tenth request to Graph. With several, each in turn.
    #[arg(long, value_name = "FAULT", value_enum)]
    graph_fault: Vec<TransportFault>,
    /// With `json`, the first line is one object: proxy, admin, graph, token, rules, audit, connect, analytics, connectable.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Addresses, tokens and files, for scripts.
#[derive(Serialize)]
struct Where<'a> {
    proxy: String,
    admin: String,
    graph: String,
    token: &'a str,
    rules: String,
    audit: String,
    /// *Data Connections*.
    connect: String,
    /// The sample analytics application.
    analytics: String,
    /// The tokens of consumers whose data source is not connected yet, by their names.
    connectable: BTreeMap<&'a str, &'a str>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let runtime = runtime()?;
    runtime.block_on(demo(args, streams))
}

async fn demo(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    // Before anything else: a signal that comes before its handler ends the process.
    let signals = Signals::install()?;
    let rules = args.rules.as_deref().map(input::text).transpose()?;
    let listeners =
        Listeners { public: bind(args.listen).await?, admin: Some(bind(args.admin_listen).await?) };
    let graph = bind(args.graph_listen).await?;
    // A free port will do: nobody types this address. The proxy's configuration has it and redirects browsers to it.
    let analytics = bind(SocketAddr::new(args.graph_listen.ip(), 0)).await?;
    let addresses = addresses(&listeners, &graph, &analytics)?;
    let tenant = Arc::new(tenant_of(args));
    set_habits(args, tenant.entra());
    consumers::register(&tenant, addresses.proxy);
    let folder = Folder::create(&tenant, addresses, rules.as_ref().map(|text| text.as_str()))?;
    let service = Service::build(&folder.config_file())?;
    streams.remark(&Form::from_env()?.reports(service.warnings()))?;
    let url = |address: SocketAddr| format!("http://{address}");
    let base_url = url(addresses.graph);
    tokio::spawn(tenant::serve(graph, Arc::clone(&tenant), base_url, std::future::pending()));
    let application = Analytics::new(&url(addresses.analytics), &url(addresses.proxy), RETURNING)?;
    tokio::spawn(application.serve(analytics, std::future::pending()));
    tell(args, addresses, &folder, &tenant, streams)?;
    service.run(listeners, signals).await?;
    Ok(ExitStatus::Yes)
}

fn tenant_of(args: &Args) -> Tenant {
    let tenant = Tenant::new(SEED).unreliable(&args.graph_fault, FAULT_EVERY);
    match args.graph_latency {
        Some(latency) => tenant.throttled(Duration::from_millis(latency)),
        None => tenant,
    }
}

fn set_habits(args: &Args, entra: &Entra) {
    entra.delay_consents(Duration::from_secs(args.entra_consent_delay));
    if args.entra_opaque_tokens {
        entra.make_tokens_opaque();
    }
    if args.entra_throttled.is_some() {
        entra.throttle(1, args.entra_throttled);
    }
}

fn addresses(
    listeners: &Listeners,
    graph: &TcpListener,
    analytics: &TcpListener,
) -> Result<Addresses, Error> {
    let address = |listener: &TcpListener| listener.local_addr().map_err(Error::Runtime);
    let admin = listeners.admin.as_ref().map_or_else(|| address(graph), address)?;
    let (proxy, graph) = (address(&listeners.public)?, address(graph)?);
    Ok(Addresses { proxy, admin, graph, analytics: address(analytics)? })
}

fn tell(
    args: &Args,
    addresses: Addresses,
    folder: &Folder,
    tenant: &Tenant,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let Addresses { proxy, admin, graph, analytics } = addresses;
    match args.format {
        Format::Json => streams.print_json_line(&Where {
            proxy: format!("http://{proxy}"),
            admin: format!("http://{admin}"),
            graph: format!("http://{graph}"),
            token: &folder.token,
            rules: folder.rules_file().display().to_string(),
            audit: folder.audit_file().display().to_string(),
            connect: format!("http://{proxy}/connect"),
            analytics: format!("http://{analytics}"),
            connectable: folder.connectable().collect(),
        }),
        Format::Text => streams.print(text(addresses, folder, tenant)?.as_bytes()),
    }
}

/// Three requests to try: a page from Graph, the same page through the proxy, and a request that the proxy refuses.
fn text(addresses: Addresses, folder: &Folder, tenant: &Tenant) -> Result<String, Error> {
    let Addresses { proxy, graph, .. } = addresses;
    let token = &folder.token;
    let user = tenant.users().iter().find(|user| user.has_mailbox());
    let id = user.map_or("", |user| user.id());
    let keys = KeyRing::parse(&input::text(&folder.keys_file())?)
        .map_err(|error| Error::Keys { file: folder.keys_file(), error })?;
    let mut pseudonym = Vec::new();
    let outcome = keys.pseudonyms(READY, &AddressPolicy::default()).reversible(Class::Id, id, &mut pseudonym);
    debug_assert_eq!(outcome, glassine_core::pseudonym::Outcome::Written, "a user has an id");
    let pseudonym = String::from_utf8_lossy(&pseudonym);
    Ok(format!(
        "A sample tenant and Glassine in front of it. Stop with Ctrl-C.\n\n\
         1. A page of mail as Microsoft Graph has it: names, subjects, bodies.\n\n\
         curl -s 'http://{graph}/v1.0/users/{id}/messages?$top=2'\n\n\
         2. The same page through Glassine: who, when, in which thread. The mailbox is addressed by its token.\n\n\
         curl -s -H 'Authorization: Bearer {token}' 'http://{proxy}/v1.0/users/{pseudonym}/messages?$top=2'\n\n\
         3. A search in the content, which the rules refuse:\n\n\
         curl -s -H 'Authorization: Bearer {token}' 'http://{proxy}/v1.0/users/{pseudonym}/messages?$search=salary'\n\n\
         Tokens of all mailboxes: curl -s -H 'Authorization: Bearer {token}' 'http://{proxy}/v1.0/users'\n\
         What may leave is on one page: {rules}\n\
         Connect a data source yourself: http://{proxy}/connect\n\
         The audit log of all requests: {audit}\n",
        rules = folder.rules_file().display(),
        audit = folder.audit_file().display(),
    ))
}
