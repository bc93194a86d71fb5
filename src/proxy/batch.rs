//! `$batch`: the proxy admits, fetches, sanitizes and audits each request separately.
//!
//! Graph takes four requests at a time per application and mailbox, so four requests of a batch run at a time. Their
//! responses are written in the order of the batch. A response that waits for its turn holds only its first part in
//! memory. The four slots are also given out in the order of the batch. So the request whose response is to be written
//! next always has a slot.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use super::account::Account;
use super::consumer::Caller;
use super::pipeline::Broken;
use super::problem::Problem;
use super::response::{ProxyResponse, Rest};
use super::state::ProxyState;
use super::{Accounting, serve_one};
use crate::audit::Outcome;
use glassine_core::admit::Request;
use glassine_core::graph::batch::{BatchItem, ItemHead, MAX_ITEMS};
use glassine_core::sanitize::Clean;

/// Graph's limit per application and mailbox ("Outlook service limits").
const AT_A_TIME: usize = 4;
/// How many pieces wait for a slow consumer.
const WAITING: usize = 2;

/// A piece of the document. `None` marks the end of a whole document.
type Piece = Result<Option<Clean<Vec<u8>>>, Broken>;

/// The responses of a batch as one JSON document, piece by piece. Dropping the stream stops requests that still run.
pub(super) struct BatchStream {
    pieces: Receiver<Piece>,
    ended: bool,
    _running: Task<()>,
}

impl BatchStream {
    pub(super) fn start(
        state: Arc<ProxyState>,
        caller: Caller,
        books: Accounting,
        items: Vec<BatchItem>,
    ) -> Self {
        let (out, pieces) = mpsc::channel(WAITING);
        let runner = Arc::new(Runner { state, caller, books });
        // The only error is that the consumer is gone.
        let running = async move { drop(runner.run(items, out).await) };
        Self { pieces, ended: false, _running: Task(tokio::spawn(running)) }
    }

    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Clean<Vec<u8>>, Broken>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(cx));
        self.ended = !matches!(piece, Some(Ok(Some(_))));
        Poll::Ready(match piece {
            Some(piece) => piece.transpose(),
            None => Some(Err(Broken::Interrupted)),
        })
    }
}

/// A task that is aborted when its owner is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The consumer is gone: its side of the channel is closed.
struct Gone;

struct Runner {
    state: Arc<ProxyState>,
    caller: Caller,
    books: Accounting,
}

/// One request's response, ready to be written when its turn comes.
struct Ready {
    id: String,
    response: ProxyResponse,
    account: Account,
}

/// Whether a request succeeded; `None` while it runs.
type Success = watch::Receiver<Option<bool>>;

impl Runner {
    async fn run(self: Arc<Self>, items: Vec<BatchItem>, out: Sender<Piece>) -> Result<(), Gone> {
        let (queue, mut turns) = mpsc::channel(MAX_ITEMS);
        let starting = async {
            self.start_in_order(items, queue).await;
            std::future::pending().await
        };
        let writing = async {
            let mut separator = "{\"responses\":[";
            while let Some((task, _slot)) = turns.recv().await {
                put(&out, Clean::punctuation(separator)).await?;
                separator = ",";
                write(&out, task).await?;
            }
            put(&out, Clean::punctuation("]}")).await?;
            out.send(Ok(None)).await.map_err(|_| Gone)
        };
        // When writing stops, starting must stop too: no slot would become free, and the next request would wait for
        // ever.
        tokio::select! {
            written = writing => written,
            never = starting => never,
        }
    }

    async fn start_in_order(
        self: Arc<Self>,
        items: Vec<BatchItem>,
        queue: Sender<(Task<Ready>, OwnedSemaphorePermit)>,
    ) {
        let slots = Arc::new(Semaphore::new(AT_A_TIME));
        let mut outcomes: Vec<Success> = Vec::new();
        for item in items {
            let dependencies: Vec<_> =
                item.depends_on.iter().filter_map(|at| outcomes.get(*at).cloned()).collect();
            let (success, outcome) = watch::channel(None);
            outcomes.push(outcome);
            // The semaphore is never closed.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let task = tokio::spawn(Arc::clone(&self).one(item, dependencies, success));
            if queue.send((Task(task), slot)).await.is_err() {
                return;
            }
        }
    }

    async fn one(
        self: Arc<Self>,
        item: BatchItem,
        dependencies: Vec<Success>,
        success: watch::Sender<Option<bool>>,
    ) -> Ready {
        let mut account = self.books.open(&item.method);
        account.set_consumer(&self.caller.consumer);
        let response = match self.respond(&item, dependencies, &mut account).await {
            Ok(response) => response,
            Err(problem) => problem.respond(None, &mut account),
        };
        success.send_replace(Some(response.status.is_success()));
        Ready { id: item.id, response, account }
    }

    async fn respond(
        &self,
        item: &BatchItem,
        dependencies: Vec<Success>,
        account: &mut Account,
    ) -> Result<ProxyResponse, Problem> {
        for mut dependency in dependencies {
            let succeeded =
                dependency.wait_for(Option::is_some).await.is_ok_and(|success| *success == Some(true));
            if !succeeded {
                return Err(Problem::Dependency);
            }
        }
        if item.has_body {
            return Err(Problem::RequestBody);
        }
        self.caller.consumer.limits().count()?;
        let request = Request {
            method: &item.method,
            target: &item.target,
            prefer: item.prefer.as_deref(),
            eventual: item.eventual,
        };
        serve_one(&self.state, &self.caller, &request, account).await
    }
}

async fn put(out: &Sender<Piece>, piece: Clean<Vec<u8>>) -> Result<(), Gone> {
    out.send(Ok(Some(piece))).await.map_err(|_| Gone)
}

/// Writes one response when its turn has come.
async fn write(out: &Sender<Piece>, mut task: Task<Ready>) -> Result<(), Gone> {
    // The task died, so its response is missing. End the stream without the `None` that marks a whole document.
    let Ok(Ready { id, response, mut account }) = (&mut task.0).await else { return Err(Gone) };
    account.set_status(response.status);
    put(out, ItemHead { id: &id, status: response.status.as_u16(), headers: &response.fields() }.into())
        .await?;
    let is_json = response.is_json();
    let ProxyResponse { start, rest, outcome, .. } = response;
    account.add_bytes_sent(start.get().len());
    put(out, if is_json { start } else { start.to_base64_json() }).await?;
    match rest {
        Rest::Document(mut pipeline) => {
            while let Some(piece) = std::future::poll_fn(|cx| pipeline.poll_piece(cx)).await {
                match piece {
                    Ok(piece) => {
                        account.add_bytes_sent(piece.get().len());
                        put(out, piece).await?;
                    }
                    Err(broken) => {
                        account.set_broken(&broken);
                        account.add_counters(&pipeline);
                        account.close(Outcome::Aborted);
                        out.send(Err(broken)).await.map_err(|_| Gone)?;
                        return Err(Gone);
                    }
                }
            }
            account.add_counters(&pipeline);
        }
        Rest::Read(pipeline) => account.add_counters(&pipeline),
        Rest::Nothing | Rest::Batch(_) => {}
    }
    account.close(outcome);
    put(out, Clean::punctuation("}")).await
}
