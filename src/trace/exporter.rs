//! Sends spans to a collector. Nothing waits for it: what does not fit into the queue, or cannot be sent, is counted and gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::otlp;
use super::span::Span;
use crate::metrics::{Metrics, SpanFate};
use crate::upstream::{ConnectorError, Network, PostClient, PostError};
use glassine_core::graph::Url;

/// How many requests' spans wait to be sent. At 1,000 requests a second, they bridge the two seconds that a collector takes to
/// restart; each has a few hundred bytes.
const QUEUE: usize = 2_048;

/// The most requests whose spans are sent at once: a document of about 500 KiB, far below what collectors take.
const BATCH: usize = 512;

/// How long spans are gathered. A trace is looked at minutes later.
const GATHER: Duration = Duration::from_secs(1);

/// How long a stop waits until the last spans are sent.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// The queue to a collector.
pub(crate) struct Exporter {
    queue: mpsc::Sender<Job>,
    metrics: Arc<Metrics>,
}

/// What sends the spans.
pub(crate) struct Worker {
    queue: mpsc::Receiver<Job>,
    client: PostClient,
    metrics: Arc<Metrics>,
}

enum Job {
    Send(Vec<Span>),
    /// Says when everything before it has been sent.
    Flush(oneshot::Sender<()>),
}

impl Exporter {
    /// A queue to the collector at this URL. Does not connect yet. [`Worker::run`] sends.
    ///
    /// # Errors
    ///
    /// [`ConnectorError`] if TLS cannot be set up.
    pub(crate) fn new(
        url: &Url,
        network: &Network,
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, Worker), ConnectorError> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let worker =
            Worker { queue, client: PostClient::new(url.clone(), network)?, metrics: Arc::clone(metrics) };
        Ok((Self { queue: sender, metrics: Arc::clone(metrics) }, worker))
    }

    /// Hands over the spans of a request.
    pub(crate) fn export(&self, spans: Vec<Span>) {
        let count = spans.len();
        if self.queue.try_send(Job::Send(spans)).is_err() {
            self.metrics.spans(SpanFate::Dropped, count);
        }
    }

    /// Waits until the spans so far have been sent, for a limited time.
    pub(crate) async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        let flush = async {
            if self.queue.send(Job::Flush(done)).await.is_ok() {
                // The worker may have ended.
                drop(sent.await);
            }
        };
        // Late spans are lost.
        drop(timeout(LAST_SPANS, flush).await);
    }
}

impl Worker {
    /// Sends until there is no exporter any more.
    pub(crate) async fn run(mut self) {
        let mut jobs = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut jobs, BATCH).await > 0 {
            if !jobs.iter().any(|job| matches!(job, Job::Flush(_))) && jobs.len() < BATCH {
                self.gather(&mut jobs).await;
            }
            self.send(std::mem::take(&mut jobs)).await;
        }
    }

    /// Waits for more, until there are enough, or a flush.
    async fn gather(&mut self, jobs: &mut Vec<Job>) {
        let more = async {
            while jobs.len() < BATCH {
                let Some(job) = self.queue.recv().await else { return };
                let is_flush = matches!(job, Job::Flush(_));
                jobs.push(job);
                if is_flush {
                    return;
                }
            }
        };
        tokio::select! {
            () = more => {}
            () = sleep(GATHER) => {}
        }
    }

    async fn send(&self, jobs: Vec<Job>) {
        let (mut spans, mut flushed) = (Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Send(more) => spans.extend(more),
                Job::Flush(done) => flushed.push(done),
            }
        }
        if !spans.is_empty() {
            let fate = match self.post(&spans).await {
                Ok(()) => SpanFate::Sent,
                Err(error) => {
                    tracing::warn!(%error, "spans could not be sent to the collector of traces");
                    SpanFate::Failed
                }
            };
            self.metrics.spans(fate, spans.len());
        }
        for done in flushed {
            let _told_or_gone = done.send(());
        }
    }

    async fn post(&self, spans: &[Span]) -> Result<(), SendError> {
        Ok(self.client.post(otlp::document(spans)?).await?)
    }
}

/// Why spans were not sent.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Encode(#[from] serde_json::Error),
    #[error(transparent)]
    Post(#[from] PostError),
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::trace::{Kind, SpanId, TraceContext};

    /// Fault: the queue of spans is full. Outcome: further spans are dropped and counted, and nobody waits.
    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_counted() {
        let metrics = Arc::new(Metrics::new());
        let url = Url::parse("http://127.0.0.1:1/v1/traces").unwrap();
        let (exporter, _worker) = Exporter::new(&url, &Network::default(), &metrics).unwrap();
        let span = || Span {
            context: TraceContext::begun_by([1; 16]),
            id: SpanId::random(),
            kind: Kind::Request,
            began: SystemTime::now(),
            ended: SystemTime::now(),
            attributes: Vec::new(),
            has_failed: false,
        };
        for _ in 0..QUEUE + 3 {
            exporter.export(vec![span(), span()]);
        }
        let text = metrics.text().unwrap();
        assert!(text.contains("glassine_trace_spans_total{result=\"dropped\"} 6\n"), "{text}");
    }
}
