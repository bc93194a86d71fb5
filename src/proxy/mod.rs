//! The sentence: identify → admit → authorize → fetch → sanitize → respond, and an audit record whatever happens.
//!
//! | file | what |
//! |---|---|
//! | `state` | what a configuration becomes: clients, consumers, keys |
//! | `consumer` | one consumer as it runs: credentials, rules, keys, limits |
//! | `head` | what of a request's head is looked at |
//! | `raw_answer` | Graph's answer, with nothing readable but what decides |
//! | `pipeline` | the one body adapter: decode → sanitize |
//! | `answer` | what the consumer gets; takes [`crate::sanitize::Clean`] only |
//! | `problem` | every way a request can fail, and the one place that makes an answer of it |
//! | `account` | the audit record and the metrics of one request |

mod account;
mod answer;
mod consumer;
mod head;
mod limits;
mod pipeline;
mod problem;
mod raw_answer;
mod state;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;

use account::Account;
use answer::{Answer, AnswerBody};
use consumer::Consumer;
use head::Head;
use pipeline::Pipeline;
use problem::Problem;
use raw_answer::RawAnswer;

pub use state::{BuildError, State};

use crate::admit::{Admitted, admit};
use crate::audit::AuditLog;
use crate::rules::plan;
use crate::sanitize::gate;
use crate::server::{Metrics, Peer};
use crate::upstream::{AccessToken, RequestHeaders};

/// Serves consumers. Cheap to share; the state can be replaced while requests run, each with the state it began with.
pub struct Proxy {
    state: ArcSwap<State>,
    audit: Arc<AuditLog>,
    metrics: Arc<Metrics>,
}

impl Proxy {
    /// A proxy with this state.
    pub fn new(state: State, audit: Arc<AuditLog>, metrics: Arc<Metrics>) -> Self {
        metrics.know_endpoints(state.endpoint_names());
        Self { state: ArcSwap::from_pointee(state), audit, metrics }
    }

    /// Serves requests that come from now on with another state.
    pub fn replace(&self, state: State) {
        self.metrics.know_endpoints(state.endpoint_names());
        self.state.store(Arc::new(state));
    }

    /// Answers one request. Never fails: every problem has an answer.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<AnswerBody> {
        let state = self.state.load_full();
        let head = Head::read(&request);
        let mut account = Account::open(&self.audit, &self.metrics, &head);
        match self.answer(&state, &head, &peer, &mut account).await {
            Ok(answer) => answer.into_response(&head, account),
            Err(problem) => problem.into_response(&head, account),
        }
    }

    async fn answer(
        &self,
        state: &State,
        head: &Head<'_>,
        peer: &Peer,
        account: &mut Account,
    ) -> Result<Answer, Problem> {
        // Nothing is served that cannot be accounted for.
        if self.audit.is_failing() {
            return Err(Problem::AuditFailing);
        }
        head.check(state.hosts())?;
        let consumer = state.identify(head, peer)?;
        account.consumer(consumer.name());
        let permit = consumer.limits().enter()?;
        let admitted = admit(&head.request(), consumer.policy())?;
        account.allowed(&admitted);
        let answer = fetch(state, &admitted, account).await?;
        Ok(sanitize(answer, consumer, &admitted).await?.holding(permit))
    }
}

/// Asks Graph. A token that Graph no longer takes is renewed once.
async fn fetch(state: &State, admitted: &Admitted, account: &mut Account) -> Result<RawAnswer, Problem> {
    let token = state.tokens().token().await?;
    let answer = ask(state, admitted, &token, account).await?;
    if !answer.is_unauthorized() {
        return Ok(answer);
    }
    state.tokens().invalidate(&token).await;
    let renewed = state.tokens().token().await?;
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
