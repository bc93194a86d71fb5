//! Requests in progress, by mailbox. Exchange takes four at a time of one application and refuses the fifth
//! (<https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>). The tenant counts all applications as one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::fault::Fault;

/// How many requests a mailbox takes at a time.
const AT_ONCE: usize = 4;

/// A tenant that throttles.
pub(super) struct Visits {
    /// How long a response from a mailbox takes.
    latency: Duration,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// By the place of the mailbox's owner, whatever requests call them.
    now: HashMap<usize, usize>,
    most: usize,
}

/// A request in progress, until it is dropped with the rest of its response.
pub(super) struct Visit {
    visits: Arc<Visits>,
    mailbox: usize,
}

impl Visits {
    pub(super) fn new(latency: Duration) -> Arc<Visits> {
        Arc::new(Visits { latency, counts: Mutex::default() })
    }

    /// How many requests of one mailbox were in progress at once, at most. The refused ones do not count.
    pub(super) fn most(&self) -> usize {
        self.lock().most
    }

    pub(super) fn begin(self: &Arc<Visits>, mailbox: usize) -> Result<Visit, Fault> {
        let mut counts = self.lock();
        let now = counts.now.entry(mailbox).or_default();
        if *now == AT_ONCE {
            return Err(Fault::MailboxConcurrency);
        }
        *now += 1;
        let now = *now;
        counts.most = counts.most.max(now);
        Ok(Visit { visits: Arc::clone(self), mailbox })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// As long as Exchange takes to respond.
    pub(super) async fn last(&self) {
        tokio::time::sleep(self.visits.latency).await;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(now) = self.visits.lock().now.get_mut(&self.mailbox) {
            *now -= 1;
        }
    }
}
