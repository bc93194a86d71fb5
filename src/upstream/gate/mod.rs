//! Bounds how many requests of one application are at Graph at once, so that the proxy never provokes Graph's throttling.
//!
//! Exchange takes four requests at a time of one application in one mailbox, whoever sends them: single requests, requests of
//! batches, all consumers that share the application. What is more gets 429, and so do those that come right after. So there
//! is one [`Gate`] for each application, and each request to Graph needs a [`Pass`] of it. The pass is held until Graph's body
//! has been read ([`GatedBody`]).
//!
//! A request stands in a [`Lane`]: that of its mailbox, or that of everything that is in no mailbox. It passes when
//!
//! 1. Graph has not asked to wait in this lane ([`Gate::pause`]),
//! 2. fewer than [`GateLimits::mailbox`] requests of its mailbox are at Graph, and nobody came before it in the lane,
//! 3. fewer than [`GateLimits::application`] requests of the application are at Graph, and it is the lane's turn.
//!
//! Lanes take turns, one request each, so a mailbox with a thousand waiting requests delays another one's request by one request
//! at most. Whoever gives up (its time is over, its client is gone) drops its place, and those behind it move up. A lane that
//! nobody is in takes no memory.
//!
//! | file | what |
//! |---|---|
//! | `lanes` | who passes, who waits, whose turn it is: without a clock and without tasks |
//! | `budget` | how many requests may be repeated |
//! | `body` | a body that holds its pass |

mod body;
mod budget;
mod lanes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

pub use body::GatedBody;
pub use lanes::{Closed, Lane};

use budget::Budget;
use lanes::{Lanes, Number};

/// How many requests of one application may be at Graph at once in one mailbox. Exchange takes four and refuses the fifth
/// (Microsoft Graph, "Outlook service limits").
const MAILBOX: usize = 4;

/// How many requests of one application may be at Graph at once, in all mailboxes and the directory together: 64 mailboxes at
/// four each. At Graph's usual 150 ms they are 1,700 requests a second. That is far below what Graph takes of an application in
/// all tenants (13,000 a second), and as much as this program serves with a few cores.
const APPLICATION: usize = 256;

/// The bounds of a [`Gate`].
#[derive(Clone, Copy, Debug)]
pub struct GateLimits {
    /// How many requests may be at Graph at once in one mailbox.
    pub mailbox: usize,
    /// How many in all lanes together. The lane of what is in no mailbox has no bound of its own.
    pub application: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { mailbox: MAILBOX, application: APPLICATION }
    }
}

/// What all requests of one application pass on their way to Graph.
pub struct Gate(Mutex<State>);

struct State {
    lanes: Lanes<oneshot::Sender<()>>,
    budget: Budget,
}

/// What a request finds at the gate.
pub enum Entry {
    /// It passes at once.
    Open(Pass),
    /// It has to wait.
    Busy(Place),
}

/// A request at Graph. Dropped, it lets the next one pass.
pub struct Pass(Spot);

/// A request that waits. Dropped, it leaves its lane.
pub struct Place {
    spot: Spot,
    turn: oneshot::Receiver<()>,
    closed: Closed,
}

/// A request at the gate, waiting or passed.
struct Spot {
    gate: Arc<Gate>,
    lane: Lane,
    number: Number,
}

/// When a request first came to the gate. One that is repeated goes in front of all that came later.
#[derive(Clone, Copy, Debug)]
pub struct Arrival(Number);

impl Gate {
    /// A gate that nobody is in.
    pub fn new(limits: GateLimits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { lanes: Lanes::new(limits), budget: Budget::default() })))
    }

    /// A request comes to the gate.
    pub fn enter(self: &Arc<Self>, lane: Lane) -> Entry {
        let mut state = self.lock();
        state.budget.earn();
        let number = state.lanes.number();
        match state.lanes.enter(&lane, Instant::now()) {
            Ok(()) => Entry::Open(Pass(self.spot(lane, number))),
            Err(closed) => Entry::Busy(self.wait(&mut state, lane, number, closed)),
        }
    }

    /// A request that has been at Graph comes again, once its lane is open. `arrival` is that of its first pass.
    pub fn enter_again(self: &Arc<Self>, lane: Lane, arrival: Arrival) -> Place {
        self.wait(&mut self.lock(), lane, arrival.0, Closed::Paused)
    }

    /// Lets nobody of this lane pass for this time, because Graph asked to wait.
    pub fn pause(self: &Arc<Self>, lane: &Lane, time: Duration) {
        let end = Instant::now() + time;
        if !self.lock().lanes.pause(lane, end) {
            return;
        }
        let (gate, lane) = (Arc::downgrade(self), lane.clone());
        tokio::spawn(async move {
            sleep(end.saturating_duration_since(Instant::now())).await;
            if let Some(gate) = gate.upgrade() {
                gate.update(|lanes| lanes.reopen(&lane, Instant::now()));
            }
        });
    }

    /// Whether one more request may be repeated. If so, counts it.
    pub fn may_repeat(&self) -> bool {
        self.lock().budget.spend()
    }

    fn wait(self: &Arc<Self>, state: &mut State, lane: Lane, number: Number, closed: Closed) -> Place {
        let (caller, turn) = oneshot::channel();
        state.lanes.wait(&lane, number, caller, Instant::now());
        call(&mut state.lanes);
        Place { spot: self.spot(lane, number), turn, closed }
    }

    fn spot(self: &Arc<Self>, lane: Lane, number: Number) -> Spot {
        Spot { gate: Arc::clone(self), lane, number }
    }

    /// Changes the lanes, and calls those who pass because of it.
    fn update(&self, change: impl FnOnce(&mut Lanes<oneshot::Sender<()>>)) {
        let mut state = self.lock();
        change(&mut state.lanes);
        call(&mut state.lanes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls everybody who may pass now.
fn call(lanes: &mut Lanes<oneshot::Sender<()>>) {
    while let Some(caller) = lanes.next(Instant::now()) {
        // Who is gone by now gives the pass back when its spot is dropped.
        let _called_or_gone = caller.send(());
    }
}

impl Pass {
    /// When the request first came to the gate.
    pub fn arrival(&self) -> Arrival {
        Arrival(self.0.number)
    }
}

impl Place {
    /// Why the request could not pass at once.
    pub fn closed(&self) -> Closed {
        self.closed
    }

    /// Waits until the request may pass.
    ///
    /// # Errors
    ///
    /// Why it may not yet, if it still may not after `patience`.
    pub async fn turn(self, patience: Duration) -> Result<Pass, Closed> {
        let Self { spot, mut turn, closed } = self;
        match timeout(patience, &mut turn).await {
            Ok(Ok(())) => Ok(Pass(spot)),
            Ok(Err(_)) | Err(_) => {
                let state = spot.gate.lock();
                Err(state.lanes.closed(&spot.lane, Instant::now()).unwrap_or(closed))
            }
        }
    }
}

impl Drop for Spot {
    fn drop(&mut self) {
        self.gate.update(|lanes| lanes.leave(&self.lane, self.number, Instant::now()));
    }
}

#[cfg(test)]
mod tests;
