//! Sends the requests: one after the other, few, and no more once the time is over or Graph asks to wait for long.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout_at};

use super::fact::Fact;
use super::question::{Get, Server};
use super::reply::{Opaque, Reply};
use crate::upstream::{AccessToken, Inquirer, Inquiry, InquiryResponse, UpstreamError, retry_after};

/// The most requests of a run: every question with all its pages, and the search for accounts, need about 130.
const MAX_REQUESTS: usize = 160;

/// The time of a run. Graph responds within a second, so that a run takes less than two minutes.
const TIME: Duration = Duration::from_secs(300);

/// The longest time that Graph may ask to wait. Who asks for more is left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often one request is sent again because Graph asked to wait.
const REPEATS: usize = 2;

/// Sends requests to Graph and Entra.
pub(super) struct Asker {
    graph: Inquirer,
    entra: Option<Inquirer>,
    token: Arc<AccessToken>,
    deadline: Instant,
    left: usize,
    longest_link: usize,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReply {
    #[error("no response: {0}")]
    Upstream(#[from] UpstreamError),
    #[error("Graph throttles the application and asks to wait for long: run the check again later")]
    Throttled,
    #[error("the time for the check is over")]
    Late,
    #[error("the check has sent its {MAX_REQUESTS} requests")]
    Spent,
    #[error("the credential has no Entra tenant")]
    NoEntra,
}

impl Asker {
    pub(super) fn new(graph: Inquirer, entra: Option<Inquirer>, token: Arc<AccessToken>) -> Self {
        Self { graph, entra, token, deadline: Instant::now() + TIME, left: MAX_REQUESTS, longest_link: 0 }
    }

    /// How many requests were sent.
    pub(super) fn sent(&self) -> usize {
        MAX_REQUESTS - self.left
    }

    /// The length of the longest link in the responses so far, in characters.
    pub(super) fn longest_link(&self) -> usize {
        self.longest_link
    }

    /// Sends `get` with this target, and follows next links for as many pages as it wants.
    pub(super) async fn ask(
        &mut self,
        get: &Get,
        target: &Opaque,
        assumed: &'static [Fact],
    ) -> Result<Reply, NoReply> {
        let mut reply = self.page(get, target, assumed).await?;
        for _ in 1..get.pages {
            let Some(next) = reply.next_target() else { break };
            reply.push(self.page(get, &next, assumed).await?);
        }
        Ok(reply)
    }

    async fn page(&mut self, get: &Get, target: &Opaque, assumed: &'static [Fact]) -> Result<Reply, NoReply> {
        let response = self.send_patiently(get, target).await?;
        let server = self.server(get.server)?.origin().as_str().to_owned();
        let reply = Reply::new(response, server, assumed);
        self.longest_link = self.longest_link.max(reply.longest_link());
        Ok(reply)
    }

    /// Sends a request again when Graph asked to wait and the wait is over.
    async fn send_patiently(&mut self, get: &Get, target: &Opaque) -> Result<InquiryResponse, NoReply> {
        let mut repeats = REPEATS;
        loop {
            let response = self.send(get, target).await?;
            let wait = retry_after(&response.headers, SystemTime::now());
            let Some(wait) = wait.filter(|_| matches!(response.status.as_u16(), 429 | 503)) else {
                return Ok(response);
            };
            if repeats == 0 || wait > LONGEST_WAIT || Instant::now() + wait > self.deadline {
                self.left = 0;
                return Err(NoReply::Throttled);
            }
            repeats -= 1;
            sleep(wait).await;
        }
    }

    async fn send(&mut self, get: &Get, target: &Opaque) -> Result<InquiryResponse, NoReply> {
        self.left = self.left.checked_sub(1).ok_or(NoReply::Spent)?;
        let token = get.with_token.then(|| self.token.secret());
        let inquiry = Inquiry { target: target.for_request(), lines: get.lines, token };
        let sent = self.server(get.server)?.get(&inquiry);
        timeout_at(self.deadline, sent).await.map_err(|_| NoReply::Late)?.map_err(NoReply::Upstream)
    }

    fn server(&self, server: Server) -> Result<&Inquirer, NoReply> {
        match server {
            Server::Graph => Ok(&self.graph),
            Server::Entra => self.entra.as_ref().ok_or(NoReply::NoEntra),
        }
    }
}
