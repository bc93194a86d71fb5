//! The sentence: identify → admit → authorize → fetch → sanitize → respond, and an audit record whatever happens.
//!
//! | file | what |
//! |---|---|
//! | `state` | what a configuration becomes: clients, consumers, keys |
//! | `consumer` | one consumer as it runs: credentials, rules, keys, limits |
//! | `head` | what of a request's head is looked at |
//! | `request_body` | what a request carries: a batch, or nothing |
//! | `identify`, `remembered` | who is asking |
//! | `forwarded` | and from where, behind proxies |
//! | `key_sources` | the keys of the issuers of consumers' tokens |
//! | `raw_response` | Graph's response, with nothing readable but what decides |
//! | `pipeline` | the one body adapter: decode → sanitize |
//! | `batch` | several requests in one |
//! | `response`, `body` | what the consumer gets; made of [`glassine_core::sanitize::Clean`] only |
//! | `problem` | every way a request can fail, and the one place that makes a response of it |
//! | `account` | the audit record and the metrics of one request |
//! | `attempt` | a request of the operator's own |

mod account;
mod attempt;
mod batch;
mod body;
mod consumer;
mod forwarded;
mod head;
mod identify;
mod key_sources;
mod limits;
mod pipeline;
mod problem;
mod raw_response;
mod remembered;
mod request_body;
mod response;
mod state;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;

use account::{Account, Accounting};
use batch::BatchStream;
use consumer::Caller;
use head::Head;
use pipeline::Pipeline;
use problem::{Problem, Unknown};
use raw_response::RawResponse;
use request_body::{check_no_body, read_envelope};
use response::ProxyResponse;

pub(crate) use account::new_request_id;
pub(crate) use attempt::{Cause, Trouble, attempt};
pub use body::ResponseBody;
pub(crate) use consumer::Consumer;
pub(crate) use head::{Hosts, single};
pub use state::{ProxyState, StateError};

use crate::audit::AuditLog;
use crate::metrics::Metrics;
use crate::server::Peer;
use crate::upstream::{AccessToken, ConsistencyLevel, RequestHeaders, TokenSource};
use glassine_core::admit::{self, Admitted};
use glassine_core::graph::batch as envelope;
use glassine_core::rules::plan;
use glassine_core::sanitize::gate;

/// What the audit calls a batch; its requests have records of their own.
const BATCH: &str = "$batch";

/// Serves consumers. Cheap to share; the state can be replaced while requests run, each with the state it began with.
pub struct Proxy {
    state: ArcSwap<ProxyState>,
    books: Accounting,
}

impl Proxy {
    /// A proxy with this state.
    pub fn new(state: ProxyState, audit: Arc<AuditLog>, metrics: Arc<Metrics>) -> Self {
        metrics.know_endpoints(state.endpoint_names());
        Self { state: ArcSwap::from_pointee(state), books: Accounting { audit, metrics } }
    }

    /// Serves requests that come from now on with another state.
    pub fn replace(&self, state: ProxyState) {
        self.books.metrics.know_endpoints(state.endpoint_names());
        self.state.store(Arc::new(state));
    }

    /// What requests that come now are served with.
    pub fn state(&self) -> Arc<ProxyState> {
        self.state.load_full()
    }

    /// Responds to one request. Never fails: every problem has a response.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let head = Head::read(&parts);
        let mut account = self.books.open(head.method().as_str());
        let response = match self.respond(&head, body, &peer, &mut account).await {
            Ok(response) => response,
            Err(problem) => problem.respond(head.client_request_id(), &mut account),
        };
        response.into_response(&head, account)
    }

    async fn respond(
        &self,
        head: &Head<'_>,
        body: Incoming,
        peer: &Peer,
        account: &mut Account,
    ) -> Result<ProxyResponse, Problem> {
        // Nothing is served that cannot be accounted for.
        if self.books.audit.is_failing() {
            return Err(Problem::AuditFailing);
        }
        let state = self.state.load_full();
        head.check(state.hosts())?;
        let caller = state.identify(head, peer).await?;
        account.set_consumer(caller.consumer.name());
        let permit = caller.consumer.limits().enter()?;
        let request = head.request();
        let response = match admit::batch(&request) {
            Some(version) => {
                let items = envelope::parse(version, &read_envelope(body).await?)?;
                account.set_allowed(BATCH);
                ProxyResponse::batch(BatchStream::start(state, caller, self.books.clone(), items))
            }
            None => {
                check_no_body(head.method(), body).await?;
                serve_one(&state, &caller, &request, account).await?
            }
        };
        Ok(response.holding(permit))
    }
}

/// One request, alone or out of a batch.
async fn serve_one(
    state: &ProxyState,
    caller: &Caller,
    request: &admit::Request<'_>,
    account: &mut Account,
) -> Result<ProxyResponse, Problem> {
    let admitted = admit::admit(request, caller.consumer.policy())?;
    account.set_allowed(&admitted.endpoint.name);
    let response = match (&caller.graph_token, caller.consumer.tokens()) {
        (Some(token), _) => forward(state, token, &admitted, account).await?,
        (None, Some(tokens)) => fetch(state, tokens, &admitted, account).await?,
        (None, None) => return Err(Problem::GraphToken(Unknown::NoCredential)),
    };
    sanitize(response, &caller.consumer, &admitted).await
}

/// Asks Graph with the consumer's own token, which is the consumer's to renew.
async fn forward(
    state: &ProxyState,
    token: &AccessToken,
    admitted: &Admitted,
    account: &mut Account,
) -> Result<RawResponse, Problem> {
    let response = ask(state, admitted, token, account).await?;
    if response.is_unauthorized() { Err(Problem::GraphToken(Unknown::Token)) } else { Ok(response) }
}

/// Asks Graph. A token that Graph no longer takes is renewed once.
async fn fetch(
    state: &ProxyState,
    tokens: &TokenSource,
    admitted: &Admitted,
    account: &mut Account,
) -> Result<RawResponse, Problem> {
    let token = tokens.token().await?;
    let response = ask(state, admitted, &token, account).await?;
    if !response.is_unauthorized() {
        return Ok(response);
    }
    tokens.invalidate(&token);
    let renewed = tokens.token().await?;
    if Arc::ptr_eq(&token, &renewed) {
        return Ok(response);
    }
    ask(state, admitted, &renewed, account).await
}

async fn ask(
    state: &ProxyState,
    admitted: &Admitted,
    token: &AccessToken,
    account: &mut Account,
) -> Result<RawResponse, Problem> {
    let mut headers = RequestHeaders::new(account.request_id());
    headers.prefer.clone_from(&admitted.prefer);
    headers.consistency_level = admitted.eventual.then_some(ConsistencyLevel::Eventual);
    headers.accept = raw_response::accepts(&admitted.endpoint.response);
    let response = state.graph().get(&admitted.upstream, &headers, token.secret()).await?;
    account.set_upstream_status(response.status());
    Ok(RawResponse::new(response))
}

/// Lets out of Graph's response what may leave. Waits for the first part, so that early failures get a status of their own.
async fn sanitize(
    response: RawResponse,
    consumer: &Consumer,
    admitted: &Admitted,
) -> Result<ProxyResponse, Problem> {
    let headers = response.clean_headers();
    if response.is_error() {
        return Err(Problem::Graph { status: response.status(), code: response.error_code().await, headers });
    }
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
