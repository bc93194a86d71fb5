//! The sentence: identify → admit → authorize → fetch → sanitize → respond, and an audit record whatever happens.
//!
//! | file | what |
//! |---|---|
//! | `state` | what a configuration becomes: clients, consumers, keys |
//! | `consumer` | one consumer as it runs: credentials, rules, keys, limits |
//! | `head` | what of a request's head is looked at |
//! | `identify`, `remembered` | who is asking |
//! | `forwarded` | and from where, behind proxies |
//! | `key_sources` | the keys of the issuers of consumers' tokens |
//! | `raw_answer` | Graph's answer, with nothing readable but what decides |
//! | `pipeline` | the one body adapter: decode → sanitize |
//! | `batch` | several requests in one |
//! | `answer`, `body` | what the consumer gets; made of [`glassine_core::sanitize::Clean`] only |
//! | `problem` | every way a request can fail, and the one place that makes an answer of it |
//! | `account` | the audit record and the metrics of one request |
//! | `attempt` | a request of the operator's own |

mod account;
mod answer;
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
mod raw_answer;
mod remembered;
mod state;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;

use account::{Account, Books};
use answer::Answer;
use batch::{BatchStream, read_envelope};
use consumer::Caller;
use head::Head;
use pipeline::Pipeline;
use problem::{Problem, Unknown};
use raw_answer::RawAnswer;

pub(crate) use account::new_request_id;
pub(crate) use attempt::{Cause, Trouble, attempt};
pub use body::AnswerBody;
pub(crate) use consumer::Consumer;
pub(crate) use head::{Hosts, single};
pub use state::{BuildError, State};

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
    state: ArcSwap<State>,
    books: Books,
}

impl Proxy {
    /// A proxy with this state.
    pub fn new(state: State, audit: Arc<AuditLog>, metrics: Arc<Metrics>) -> Self {
        metrics.know_endpoints(state.endpoint_names());
        Self { state: ArcSwap::from_pointee(state), books: Books { audit, metrics } }
    }

    /// Serves requests that come from now on with another state.
    pub fn replace(&self, state: State) {
        self.books.metrics.know_endpoints(state.endpoint_names());
        self.state.store(Arc::new(state));
    }

    /// What requests that come now are served with.
    pub fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// Answers one request. Never fails: every problem has an answer.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let head = Head::read(&parts, &body);
        let mut account = self.books.open(head.method().as_str());
        let answer = match self.answer(&head, body, &peer, &mut account).await {
            Ok(answer) => answer,
            Err(problem) => problem.into_answer(head.client_request_id(), &mut account),
        };
        answer.into_response(&head, account)
    }

    async fn answer(
        &self,
        head: &Head<'_>,
        body: Incoming,
        peer: &Peer,
        account: &mut Account,
    ) -> Result<Answer, Problem> {
        // Nothing is served that cannot be accounted for.
        if self.books.audit.is_failing() {
            return Err(Problem::AuditFailing);
        }
        let state = self.state.load_full();
        head.check(state.hosts())?;
        let caller = state.identify(head, peer).await?;
        account.consumer(caller.consumer.name());
        let permit = caller.consumer.limits().enter()?;
        let request = head.request();
        let answer = match admit::batch(&request) {
            Some(version) => {
                let items = envelope::parse(version, &read_envelope(body).await?)?;
                account.allowed(BATCH);
                Answer::batch(BatchStream::start(state, caller, self.books.clone(), items))
            }
            None => {
                head.check_no_body()?;
                serve_one(&state, &caller, &request, account).await?
            }
        };
        Ok(answer.holding(permit))
    }
}

/// One request, alone or out of a batch.
async fn serve_one(
    state: &State,
    caller: &Caller,
    request: &admit::Request<'_>,
    account: &mut Account,
) -> Result<Answer, Problem> {
    let admitted = admit::admit(request, caller.consumer.policy())?;
    account.allowed(&admitted.endpoint.name);
    let answer = match (&caller.graph_token, caller.consumer.tokens()) {
        (Some(token), _) => forward(state, token, &admitted, account).await?,
        (None, Some(tokens)) => fetch(state, tokens, &admitted, account).await?,
        (None, None) => return Err(Problem::GraphToken(Unknown::NoCredential)),
    };
    sanitize(answer, &caller.consumer, &admitted).await
}

/// Asks Graph with the consumer's own token, which is the consumer's to renew.
async fn forward(
    state: &State,
    token: &AccessToken,
    admitted: &Admitted,
    account: &mut Account,
) -> Result<RawAnswer, Problem> {
    let answer = ask(state, admitted, token, account).await?;
    if answer.is_unauthorized() { Err(Problem::GraphToken(Unknown::Token)) } else { Ok(answer) }
}

/// Asks Graph. A token that Graph no longer takes is renewed once.
async fn fetch(
    state: &State,
    tokens: &TokenSource,
    admitted: &Admitted,
    account: &mut Account,
) -> Result<RawAnswer, Problem> {
    let token = tokens.token().await?;
    let answer = ask(state, admitted, &token, account).await?;
    if !answer.is_unauthorized() {
        return Ok(answer);
    }
    tokens.invalidate(&token);
    let renewed = tokens.token().await?;
    if Arc::ptr_eq(&token, &renewed) {
        return Ok(answer);
    }
    ask(state, admitted, &renewed, account).await
}

async fn ask(
    state: &State,
    admitted: &Admitted,
    token: &AccessToken,
    account: &mut Account,
) -> Result<RawAnswer, Problem> {
    let mut headers = RequestHeaders::new(account.request_id());
    headers.prefer = raw_answer::preferences(&admitted.prefer);
    headers.consistency_level = admitted.eventual.then_some(ConsistencyLevel::Eventual);
    headers.accept = raw_answer::accepts(&admitted.endpoint.response);
    let answer = state.graph().get(&admitted.upstream, &headers, token.secret()).await?;
    account.upstream_status(answer.status());
    Ok(RawAnswer::new(answer))
}

/// Lets out of Graph's answer what may leave. Waits for the first part, so that early failures get a status of their own.
async fn sanitize(answer: RawAnswer, consumer: &Consumer, admitted: &Admitted) -> Result<Answer, Problem> {
    let headers = answer.clean_headers();
    if answer.is_error() {
        return Err(Problem::Graph { status: answer.status(), code: answer.error_code().await, headers });
    }
    match &admitted.endpoint.response {
        plan::Response::Json(body) => {
            answer.require_json()?;
            let context = consumer.context(body, admitted);
            Answer::json(headers, Pipeline::new(answer.into_body()?, context)).await
        }
        plan::Response::Count(_) => {
            answer.require_text()?;
            let digits = answer.into_body()?.whole().await?;
            Ok(Answer::text(headers, gate::count(digits.bytes())?))
        }
    }
}
