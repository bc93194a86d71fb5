//! `$batch`: the proxy admits, fetches, sanitizes and audits each request separately.
//!
//! Four requests of a batch run at a time. Their responses are written in the order of the batch. The four slots are also given
//! out in that order, so the request whose response is to be written next always has a slot.
//!
//! A response is read to its end before its first byte is written: a batch is one JSON document, so a response that broke
//! off in the middle would take all others with it. Read whole, it gets a status of its own. [`Room`] bounds what is held.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use super::account::Account;
use super::consumer::Caller;
use super::limits::Room;
use super::pipeline::{Broken, Pipeline};
use super::problem::Problem;
use super::response::{ProxyResponse, Rest};
use super::state::ProxyState;
use super::{Accounting, serve_one};
use crate::trace::TraceContext;
use glassine_core::admit::Request;
use glassine_core::graph::batch::{BatchItem, ItemHead, ItemId, MAX_ITEMS};
use glassine_core::sanitize::Clean;

/// How many requests of one batch run at a time, because the response of each is held until it is written. Graph's own limits are
/// kept by the gate that all requests pass ([`crate::upstream::Gate`]).
const AT_A_TIME: usize = 4;
/// How many pieces wait for a slow consumer.
const WAITING: usize = 2;

/// A piece of the document. `None` marks the end of a whole document.
type Piece = Option<Clean<Vec<u8>>>;

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
        trace: TraceContext,
        items: Vec<BatchItem>,
    ) -> Self {
        let (out, pieces) = mpsc::channel(WAITING);
        let runner = Arc::new(Runner { state, caller, books, trace });
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
        let piece = ready!(self.pieces.poll_recv(cx)).ok_or(Broken::Interrupted).transpose();
        self.ended = !matches!(piece, Some(Ok(_)));
        Poll::Ready(piece)
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
    /// The trace that all requests of the batch are part of.
    trace: TraceContext,
}

/// One request's response, whole, with an open account, to be written when its turn comes.
struct Open {
    id: ItemId,
    response: ProxyResponse,
    held: Held,
    account: Account,
}

/// A response whose record is in the audit log.
struct Ready {
    id: ItemId,
    response: ProxyResponse,
    held: Held,
}

/// What follows the start of a response, to its end. Takes up memory until it is written.
struct Held {
    pieces: Vec<Clean<Vec<u8>>>,
    room: Room,
}

/// Whether a request succeeded; `None` while it runs.
type Success = watch::Receiver<Option<bool>>;

impl Runner {
    async fn run(self: Arc<Self>, items: Vec<BatchItem>, out: Sender<Piece>) -> Result<(), Gone> {
        let (queue, mut turns) = mpsc::channel(MAX_ITEMS);
        let starter = Arc::clone(&self);
        let starting = async {
            starter.start_in_order(items, queue).await;
            std::future::pending().await
        };
        let writing = async {
            let mut separator = "{\"responses\":[";
            while let Some((task, _slot)) = turns.recv().await {
                put(&out, Clean::punctuation(separator)).await?;
                separator = ",";
                self.write(&out, task).await?;
            }
            put(&out, Clean::punctuation("]}")).await?;
            out.send(None).await.map_err(|_| Gone)
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
        queue: Sender<(Task<Open>, OwnedSemaphorePermit)>,
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
    ) -> Open {
        let mut account = self.books.open(&item.method);
        account.follow(Some(self.trace));
        account.set_consumer(&self.caller.consumer);
        let (response, held) = match self.whole(&item, dependencies, &mut account).await {
            Ok(whole) => whole,
            Err(problem) => (problem.respond(None, &mut account), self.nothing_held()),
        };
        success.send_replace(Some(response.status.is_success()));
        Open { id: item.id, response, held, account }
    }

    /// Writes one response when its turn has come, and the audit log has its record.
    async fn write(&self, out: &Sender<Piece>, mut task: Task<Open>) -> Result<(), Gone> {
        // The task died, so its response is missing. End the stream without the `None` that marks a whole document.
        let Ok(open) = (&mut task.0).await else { return Err(Gone) };
        let Ready { id, response, held } = self.recorded(open).await;
        let fields = response.fields();
        put(out, ItemHead { id: &id, status: response.status.as_u16(), headers: &fields }.into()).await?;
        drop(fields);
        let is_json = response.is_json();
        put(out, if is_json { response.start } else { response.start.to_base64_json() }).await?;
        for piece in held.pieces {
            put(out, piece).await?;
        }
        put(out, Clean::punctuation("}")).await
    }

    /// The response, once the audit log has its record. Without that, a refusal takes its place.
    async fn recorded(&self, open: Open) -> Ready {
        let Open { id, mut response, held, mut account } = open;
        account.set_status(response.status);
        response.tell(account.quota());
        account.set_bytes_sent(response.start.get().len() + held.len());
        let Err(mut account) = account.settle(response.outcome).await else {
            return Ready { id, response, held };
        };
        let refusal = Problem::AuditFailing.respond(None, &mut account);
        account.set_status(refusal.status);
        account.set_bytes_sent(refusal.start.get().len());
        account.close(refusal.outcome);
        Ready { id, response: refusal, held: self.nothing_held() }
    }

    fn nothing_held(&self) -> Held {
        Held { pieces: Vec::new(), room: self.caller.consumer.limits().room() }
    }

    /// The response to its end.
    async fn whole(
        &self,
        item: &BatchItem,
        dependencies: Vec<Success>,
        account: &mut Account,
    ) -> Result<(ProxyResponse, Held), Problem> {
        let mut response = self.respond(item, dependencies, account).await?;
        let mut held = self.nothing_held();
        let mut read = held.room.take(response.start.get().len());
        if let Rest::Read(mut pipeline) | Rest::Document(mut pipeline) = std::mem::take(&mut response.rest) {
            if read.is_ok() {
                read = held.read(&mut pipeline).await;
            }
            account.add_counters(&pipeline);
        }
        read.map(|()| (response, held))
    }

    async fn respond(
        &self,
        item: &BatchItem,
        dependencies: Vec<Success>,
        account: &mut Account,
    ) -> Result<ProxyResponse, Problem> {
        account.reserve().await?;
        for mut dependency in dependencies {
            let succeeded =
                dependency.wait_for(Option::is_some).await.is_ok_and(|success| *success == Some(true));
            if !succeeded {
                return Err(Problem::Dependency);
            }
        }
        // As for a request of its own: what is wrong with another method is the method.
        if item.has_body && matches!(item.method.as_str(), "GET" | "HEAD") {
            return Err(Problem::RequestBody);
        }
        account.set_waited(self.caller.consumer.limits().count().await?);
        let request = Request {
            method: &item.method,
            target: &item.target,
            prefer: item.prefer.as_deref(),
            eventual: item.eventual,
        };
        // The batch's response has begun, so a stop does not end the waiting.
        serve_one(&self.state, &self.caller, &request, account, None).await
    }
}

impl Held {
    /// Bytes of the pieces.
    fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.get().len()).sum()
    }

    async fn read(&mut self, pipeline: &mut Pipeline) -> Result<(), Problem> {
        while let Some(piece) = poll_fn(|cx| pipeline.poll_piece(cx)).await {
            let piece = piece?;
            self.room.take(piece.get().len())?;
            self.pieces.push(piece);
        }
        Ok(())
    }
}

async fn put(out: &Sender<Piece>, piece: Clean<Vec<u8>>) -> Result<(), Gone> {
    out.send(Some(piece)).await.map_err(|_| Gone)
}
