//! A request's way: identify → admit → authorize → fetch → sanitize → respond. Each request gets an audit record.
//!
//! | file | what |
//! |---|---|
//! | `state` | what is built from a configuration: clients, consumers, keys |
//! | `consumer` | one consumer at run time: credentials, rules, keys, limits |
//! | `head` | everything that is read of a request's head |
//! | `host` | which host a request names |
//! | `request_body` | a request's body: a batch, or none |
//! | `identify`, `remembered` | which consumer sends a request |
//! | `forwarded` | from which address, behind trusted proxies |
//! | `key_sources` | the keys of the issuers of consumers' tokens |
//! | `fetch` | asks Graph: waits for a turn, and once more if Graph asks to wait for a moment |
//! | `graph_error` | an error of Graph, and the line about it |
//! | `raw_response` | Graph's response, of which only the parts that decide can be read |
//! | `pipeline` | the one place where Graph's body meets the sanitizer: decode → sanitize |
//! | `late_consent` | a permission that was granted after the token was issued |
//! | `limits`, `queue` | how much one consumer may ask, and in which order its requests wait for that |
//! | `batch` | several requests in one |
//! | `descriptions` | a consumer's interface as documents: `$metadata` and `openapi.json` |
//! | `response`, `body` | what the consumer gets; made of [`glassine_core::sanitize::Clean`] only |
//! | `quota` | what a response tells a client that paces itself |
//! | `problem` | every way a request can fail, and its response |
//! | `account` | the audit record and the metrics of one request |
//! | `spans` | the spans of one request |
//! | `attempt` | a request that `glassine doctor` makes |

mod account;
mod attempt;
mod batch;
mod body;
mod consumer;
mod descriptions;
mod fetch;
mod forwarded;
mod graph_error;
mod head;
mod host;
mod identify;
mod key_sources;
mod late_consent;
mod limits;
mod pipeline;
mod problem;
mod queue;
mod quota;
mod raw_response;
mod remembered;
mod request_body;
mod response;
mod spans;
mod state;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use jiff::Timestamp;

use account::{Account, Accounting};
use batch::BatchStream;
use consumer::Caller;
use fetch::fetch;
use head::Head;
use limits::{Limits, Permit};
use pipeline::Pipeline;
use problem::Problem;
use raw_response::RawResponse;
use request_body::{check_no_body, read_envelope};
use response::ProxyResponse;

pub(crate) use account::new_request_id;
pub(crate) use attempt::{Cause, Trouble, attempt};
pub use body::ResponseBody;
pub(crate) use consumer::Consumer;
pub(crate) use forwarded::address_of;
pub(crate) use host::Hosts;
pub use state::{ProxyState, StateError};

use crate::audit::AuditLog;
use crate::metrics::{KeyFacts, Metrics, Names};
use crate::server::{Identified, Peer, Shutdown, ShutdownTrigger};
use crate::trace::Exporter;
use glassine_core::admit::{self, Admitted};
use glassine_core::graph::batch as envelope;
use glassine_core::pseudonym::Fingerprint;
use glassine_core::rules::plan;
use glassine_core::sanitize::gate;

/// The endpoint of a batch in the audit. Each request in the batch has its own record.
const BATCH: &str = "$batch";

/// Serves consumers. The state can be replaced at any time; a running request keeps the state that it began with.
pub struct Proxy {
    state: ArcSwap<ProxyState>,
    books: Accounting,
    /// Ends the waiting of requests that have no turn yet.
    impatience: (ShutdownTrigger, Shutdown),
}

impl Proxy {
    /// A proxy with this state.
    pub fn new(state: impl Into<Arc<ProxyState>>, audit: Arc<AuditLog>, metrics: Arc<Metrics>) -> Self {
        let state = state.into();
        tell(&metrics, &state);
        Self {
            state: ArcSwap::new(state),
            books: Accounting { audit, metrics, traces: None },
            impatience: Shutdown::channel(),
        }
    }

    /// Sends the spans of requests to a collector.
    pub(crate) fn with_traces(mut self, traces: Option<Arc<Exporter>>) -> Self {
        self.books.traces = traces;
        self
    }

    /// From now on no request waits for its turn: those that do, or would have to, are refused. A stop need not wait for
    /// them. A batch whose response has begun goes on.
    pub fn stop_waiting(&self) {
        self.impatience.0.trigger();
    }

    /// Serves all later requests with this state.
    pub fn replace(&self, state: impl Into<Arc<ProxyState>>) {
        let state = state.into();
        tell(&self.books.metrics, &state);
        self.state.store(state);
    }

    /// The current state.
    pub fn state(&self) -> Arc<ProxyState> {
        self.state.load_full()
    }

    /// Responds to one request. Never fails: every [`Problem`] becomes a response.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let head = Head::read(&parts);
        let mut account = self.books.open(head.method().as_str());
        let response = self.respond(&head, body, &peer, &mut account).await;
        // A credential that comes from an address that is not allowed identifies nobody.
        let is_identified = account.is_identified() && !matches!(response, Err(Problem::Address));
        let response = match response {
            Ok(response) => response,
            Err(problem) => problem.respond(head.client_request_id(), &mut account),
        };
        let mut response = response.deliver(&head, account).await;
        if is_identified {
            response.extensions_mut().insert(Identified);
        }
        response
    }

    async fn respond(
        &self,
        head: &Head<'_>,
        body: Incoming,
        peer: &Peer,
        account: &mut Account,
    ) -> Result<ProxyResponse, Problem> {
        // Serve nothing that cannot be audited.
        if self.books.audit.is_failing() {
            return Err(Problem::AuditFailing);
        }
        let state = self.state.load_full();
        let address = state.address(head, peer);
        account.set_address(*address.as_ref().unwrap_or(&peer.address.ip()));
        head.check(state.hosts())?;
        let consumer = state.identify(head, peer).await?;
        account.set_consumer(&consumer);
        consumer.check_address(address?)?;
        account.set_identified();
        account.follow(head.trace());
        let caller = state.caller(consumer, head)?;
        let permit = self.enter(caller.consumer.limits()).await?;
        account.set_waited(permit.waited);
        // Neither strangers nor requests that wait for their turn use up the audit log's room.
        account.reserve().await?;
        let request = head.request();
        let response = match admit::batch(&request) {
            Some(version) => {
                let items = envelope::parse(version, state.hosts().public(), &read_envelope(body).await?)?;
                account.set_allowed(BATCH);
                ProxyResponse::batch(BatchStream::start(
                    state,
                    caller,
                    self.books.clone(),
                    account.spans().within(),
                    items,
                ))
            }
            None => {
                check_no_body(head.method(), body).await?;
                match caller.consumer.descriptions().response(&request) {
                    Some((name, description)) => {
                        account.set_allowed(name);
                        description
                    }
                    None => {
                        let stop = Some(self.impatience.1.clone());
                        serve_one(&state, &caller, &request, account, stop).await?
                    }
                }
            }
        };
        Ok(response.holding(permit))
    }

    /// Waits for the turn of a request. Nothing of its body has been read, and Graph has not been asked.
    async fn enter(&self, limits: &Limits) -> Result<Permit, Problem> {
        let mut impatience = self.impatience.1.clone();
        tokio::select! {
            // A request whose turn has come is not refused.
            biased;
            permit = limits.enter() => permit,
            () = impatience.requested() => Err(Problem::UNKNOWN_WAIT),
        }
    }
}

/// Tells the metrics which endpoints, connections, rules and keys there are.
fn tell(metrics: &Metrics, state: &ProxyState) {
    metrics.know_connections(state.network().connections.clone());
    metrics.know_names(&names(state));
    let rules =
        state.consumers().map(|consumer| (consumer.name(), consumer.statement().fingerprint().to_string()));
    metrics.know_rules(rules);
    metrics.know_keys(state.keys().iter().map(key_facts).collect());
    let consumers: Vec<_> = state.consumers().cloned().collect();
    metrics
        .know_tokens(move || consumers.iter().filter_map(|consumer| late_consent::facts(consumer)).collect());
}

/// What of the operator's files can be a label.
fn names(state: &ProxyState) -> Names {
    let own = std::iter::once(BATCH).chain(descriptions::NAMES).map(Arc::from);
    Names {
        endpoints: state.endpoint_names().into_iter().chain(own).collect(),
        consumers: state.consumers().map(|consumer| consumer.name()).collect(),
        keys: state.keys().iter().map(|key| key.id).collect(),
    }
}

fn key_facts(key: &Fingerprint) -> KeyFacts {
    KeyFacts {
        id: key.id,
        fingerprint: key.fingerprint.clone(),
        standing: key.standing.as_str(),
        created: key.created.parse::<Timestamp>().ok().map(Timestamp::as_second),
    }
}

/// Serves one request, alone or in a batch. `stop` ends its waiting for Graph.
async fn serve_one(
    state: &ProxyState,
    caller: &Caller,
    request: &admit::Request<'_>,
    account: &mut Account,
    stop: Option<Shutdown>,
) -> Result<ProxyResponse, Problem> {
    let admitted = admit::admit(request, caller.consumer.policy())?;
    account.set_allowed(&admitted.endpoint.name);
    account.set_key(caller.consumer.key(&admitted));
    let response = fetch(state, caller, &admitted, account, stop).await?;
    sanitize(response, &caller.consumer, &admitted).await
}

/// Sanitizes Graph's response. Waits for the first part, so that an early failure can still set the status.
async fn sanitize(
    response: RawResponse,
    consumer: &Consumer,
    admitted: &Admitted,
) -> Result<ProxyResponse, Problem> {
    let headers = response.clean_headers();
    match &admitted.endpoint.response {
        plan::Response::Json(body) => {
            response.require_json()?;
            let context = consumer.context(body, admitted);
            ProxyResponse::json(headers, Pipeline::new(response.into_body()?, context)).await
        }
        plan::Response::Count(_) => {
            response.require_text()?;
            let digits = response.into_body()?.whole().await?;
            Ok(ProxyResponse::text(headers, gate::count(digits.bytes())?))
        }
    }
}
