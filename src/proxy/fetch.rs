//! Asks Graph. A request waits at its application's gate for its turn. If Graph asks to wait for a moment, the request waits
//! that long and is sent once more; meanwhile nobody is sent to that mailbox, and the request has no place at Graph.
//!
//! All this takes a bounded time: [`PATIENCE`] for the first turn, and from then on Graph's `response_seconds` for everything
//! until the head of the last response. A client that leaves gives up its place.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::account::Account;
use super::consumer::Caller;
use super::graph_error::{Fate, GraphError};
use super::late_consent;
use super::problem::{Problem, Unknown};
use super::raw_response::{RawResponse, accepts};
use super::state::ProxyState;
use crate::server::Shutdown;
use crate::upstream::{
    AccessToken, Closed, ConsistencyLevel, Entry, Gate, GatedBody, Lane, Pass, Phase, Place, RequestHeaders,
    TokenSource, UpstreamError, clock_ahead,
};
use glassine_core::admit::Admitted;

/// How long a request waits for its turn at Graph before it is refused. With the time that Graph then takes, it stays below the
/// 30 s after which the most impatient gateways and clients give up.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// The longest `Retry-After` that the proxy waits itself. Longer ones are the consumer's: its connection would wait for a long
/// time, and hold one of the consumer's places. What Exchange asks for when its limit of concurrent requests is touched is a
/// second or two.
const SHORT_WAIT: Duration = Duration::from_secs(3);

/// Asks Graph for what was admitted. `stop` ends the waiting for a turn.
pub(super) async fn fetch(
    state: &ProxyState,
    caller: &Caller,
    admitted: &Admitted,
    account: &mut Account,
    stop: Option<Shutdown>,
) -> Result<RawResponse, Problem> {
    let lane = Lane::from(admitted.mailbox.clone());
    let mut asking = Asking { state, gate: caller.consumer.gate(), admitted, account, stop, lane };
    match (&caller.graph_token, caller.consumer.tokens()) {
        (Some(token), _) => asking.forward(token).await,
        (None, Some(tokens)) => asking.with_own_token(tokens).await,
        (None, None) => Err(Problem::GraphToken(Unknown::NoCredential)),
    }
}

/// One request of a consumer, on its way to Graph.
struct Asking<'a> {
    state: &'a ProxyState,
    gate: &'a Arc<Gate>,
    admitted: &'a Admitted,
    account: &'a mut Account,
    stop: Option<Shutdown>,
    lane: Lane,
}

impl Asking<'_> {
    /// With the consumer's own token. Only the consumer can renew it.
    async fn forward(&mut self, token: &AccessToken) -> Result<RawResponse, Problem> {
        match self.ask(token).await {
            Err(Problem::Graph(error)) if error.is_unauthorized() => {
                error.log(self.account);
                Err(Problem::GraphToken(Unknown::Token))
            }
            done => done,
        }
    }

    /// If Graph rejects the token, or denies what a permission granted meanwhile would open, the proxy gets another token and
    /// asks once more.
    async fn with_own_token(&mut self, tokens: &TokenSource) -> Result<RawResponse, Problem> {
        let token = tokens.token().await?;
        let error = match self.ask(&token).await {
            Err(Problem::Graph(error)) => error,
            done => return done,
        };
        let newer = if error.is_unauthorized() {
            tokens.invalidate(&token);
            Some(tokens.token().await?).filter(|newer| !Arc::ptr_eq(&token, newer))
        } else {
            late_consent::newer_token(tokens, &token, &error, &self.admitted.endpoint).await
        };
        let Some(newer) = newer else { return Err(Problem::Graph(error)) };
        error.log(self.account);
        self.ask(&newer).await
    }

    /// Asks, and once more if Graph asks to wait for a moment.
    async fn ask(&mut self, token: &AccessToken) -> Result<RawResponse, Problem> {
        let pass = match self.gate.enter(self.lane.clone()) {
            Entry::Open(pass) => pass,
            Entry::Busy(place) => self.turn(place, PATIENCE).await?,
        };
        let (arrival, end) = (pass.arrival(), Instant::now() + self.state.network().timeouts.head);
        let error = match self.send(token, pass).await {
            Err(Problem::Graph(error)) if GraphError::may_pass(error.status) => error,
            done => return done,
        };
        let fate = self.fate(&error, end);
        let Some(Fate::Repeated) = fate else { return Err(self.passed_on(error, fate)) };
        let place = self.gate.enter_again(self.lane.clone(), arrival);
        let Ok(pass) = self.turn(place, end.saturating_duration_since(Instant::now())).await else {
            return Err(self.passed_on(error, Some(Fate::Late)));
        };
        self.repeat(token, pass, end, error).await
    }

    /// Sends the request once more, after `error`.
    async fn repeat(
        &mut self,
        token: &AccessToken,
        pass: Pass,
        end: Instant,
        error: GraphError,
    ) -> Result<RawResponse, Problem> {
        let status = error.status.as_u16();
        GraphError { fate: Some(Fate::Repeated), ..error }.log(self.account);
        self.account.add_retry();
        // The first try has the limit of the client itself. This one has what the first and the wait have left.
        let again = timeout_at(end, self.send(token, pass)).await;
        let metrics = self.account.metrics().graph();
        let again = again.unwrap_or_else(|_| {
            metrics.unanswered();
            Err(self.state.graph().at(UpstreamError::Timeout(Phase::Head)).into())
        });
        match again {
            Err(Problem::Graph(error)) if GraphError::may_pass(error.status) => {
                metrics.repeated(status, Fate::Again.as_str());
                Err(GraphError { fate: Some(Fate::Again), ..error }.into())
            }
            done => {
                metrics.repeated(status, if done.is_ok() { "served" } else { "failed" });
                done
            }
        }
    }

    /// Whether the request is repeated; `None` if Graph did not ask to wait.
    fn fate(&self, error: &GraphError, end: Instant) -> Option<Fate> {
        let wait = error.retry_after?;
        Some(if wait > SHORT_WAIT {
            Fate::Long
        } else if Instant::now() + wait >= end {
            Fate::Late
        } else if !self.gate.may_repeat() {
            Fate::Budget
        } else {
            Fate::Repeated
        })
    }

    /// The consumer gets the error.
    fn passed_on(&self, error: GraphError, fate: Option<Fate>) -> Problem {
        if let Some(fate) = fate {
            self.account.metrics().graph().repeated(error.status.as_u16(), fate.as_str());
        }
        GraphError { fate, ..error }.into()
    }

    /// Waits for the request's turn.
    async fn turn(&mut self, place: Place, patience: Duration) -> Result<Pass, Problem> {
        let (closed, came) = (place.closed(), Instant::now());
        let waiting = self.account.metrics().graph().waiting(closed.as_str());
        let turn = tokio::select! {
            // A request whose turn has come is not refused.
            biased;
            turn = place.turn(patience) => turn.map_err(Problem::busy),
            () = stopped(&mut self.stop) => Err(Problem::Busy { closed, retry_after: 1 }),
        };
        drop(waiting);
        self.account.add_waited(came.elapsed());
        let result = if turn.is_ok() { "waited" } else { "refused" };
        self.account.metrics().graph().gated(closed.as_str(), result);
        turn
    }

    /// Sends the request. An error of Graph is a [`Problem::Graph`]; if it asks to wait for a moment, the lane waits.
    async fn send(&mut self, token: &AccessToken, pass: Pass) -> Result<RawResponse, Problem> {
        let mut headers = RequestHeaders::new(self.account.request_id());
        headers.prefer.clone_from(&self.admitted.prefer);
        headers.consistency_level = self.admitted.eventual.then_some(ConsistencyLevel::Eventual);
        headers.accept = accepts(&self.admitted.endpoint.response);
        let metrics = Arc::clone(self.account.metrics());
        let (at_graph, began) = (metrics.graph().at_graph(self.lane.as_str()), Instant::now());
        let span = self.account.spans().ask();
        let got = self.state.graph().get(&self.admitted.upstream, &headers, token.secret()).await;
        metrics.graph().took(self.account.endpoint_name(), began.elapsed());
        self.account.spans().asked(span, got.as_ref().ok().map(Response::status));
        let response = got.inspect_err(|_| metrics.graph().unanswered());
        let response = response.map_err(|error| self.state.graph().at(error))?;
        self.account.set_upstream_status(response.status());
        if let Some(ahead) = clock_ahead(response.headers(), Timestamp::now()) {
            metrics.ahead_of_graph(ahead);
        }
        let response = RawResponse::new(response.map(|body| GatedBody::new(body, pass, at_graph)));
        if !response.is_error() {
            metrics.graph().responded(response.status().as_u16(), false);
            return Ok(response);
        }
        // Before the pass is given back, or the next request would get the same response.
        if let Some(wait) = short_wait(&response) {
            self.gate.pause(&self.lane, wait);
        }
        let status = response.status();
        let error = response.into_error(GraphError::in_lane(&self.lane)).await;
        metrics.graph().responded(status.as_u16(), error.throttles());
        Err(error.into())
    }
}

/// The time that Graph asks to wait, if the proxy waits that long itself.
fn short_wait(response: &RawResponse) -> Option<Duration> {
    let wait = response.retry_after().filter(|_| GraphError::may_pass(response.status()))?;
    (wait <= SHORT_WAIT).then_some(wait)
}

/// Waits for the stop of the service.
async fn stopped(stop: &mut Option<Shutdown>) {
    match stop {
        Some(stop) => stop.requested().await,
        None => std::future::pending().await,
    }
}

impl Lane {
    /// The word for metrics.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Mailbox(_) => "mailbox",
            Self::Directory => "directory",
        }
    }
}

impl Closed {
    /// The word for metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "pause",
            Self::Mailbox => "mailbox",
            Self::Application => "application",
        }
    }
}
