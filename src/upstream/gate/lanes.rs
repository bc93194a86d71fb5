//! Who passes the gate, who waits in which lane, and whose turn it is. Callers pass the time.
//!
//! Invariant: a lane is in `turns`, once, exactly if its first request could pass as far as the lane alone is concerned: somebody
//! waits, the lane has room, and it is not paused. Only then it takes part in the turns.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tokio::time::Instant;

use super::GateLimits;
use glassine_core::graph::Mailbox;

/// Requests to Graph that wait for one another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Those for one mailbox.
    Mailbox(Mailbox),
    /// Those for everything that is in no mailbox, such as the directory.
    Directory,
}

impl From<Option<Mailbox>> for Lane {
    fn from(mailbox: Option<Mailbox>) -> Self {
        mailbox.map_or(Self::Directory, Self::Mailbox)
    }
}

/// Why a request cannot pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Graph asked to wait.
    Paused,
    /// As many requests of the mailbox as may be are at Graph, or come before.
    Mailbox,
    /// As many requests of the application as may be are at Graph, or come before.
    Application,
}

/// Requests are numbered as they come.
pub(super) type Number = u64;

/// All lanes that somebody is in. `W` is what calls a waiting request.
pub(super) struct Lanes<W> {
    limits: GateLimits,
    /// How many requests have passed and are at Graph.
    passed: usize,
    lanes: HashMap<Lane, State<W>>,
    turns: VecDeque<Lane>,
    next: Number,
}

struct State<W> {
    passed: usize,
    /// The first to come is the first to pass.
    waiting: BTreeMap<Number, W>,
    paused: Option<Instant>,
    /// Whether the lane is in `turns`.
    has_turn: bool,
}

impl<W> Lanes<W> {
    pub(super) fn new(limits: GateLimits) -> Self {
        Self { limits, passed: 0, lanes: HashMap::new(), turns: VecDeque::new(), next: 0 }
    }

    /// The number of the next request.
    pub(super) fn number(&mut self) -> Number {
        self.next += 1;
        self.next
    }

    /// Lets a request pass that has not waited, if nobody comes before it.
    pub(super) fn enter(&mut self, lane: &Lane, now: Instant) -> Result<(), Closed> {
        if let Some(closed) = self.closed(lane, now) {
            return Err(closed);
        }
        self.passed += 1;
        self.lanes.entry(lane.clone()).or_default().passed += 1;
        Ok(())
    }

    /// Why a request that comes now cannot pass; `None` if it can.
    pub(super) fn closed(&self, lane: &Lane, now: Instant) -> Option<Closed> {
        let state = self.lanes.get(lane);
        if state.is_some_and(|state| state.is_paused(now)) {
            return Some(Closed::Paused);
        }
        if state.is_some_and(|state| state.passed >= self.limits.of(lane)) {
            return Some(if *lane == Lane::Directory { Closed::Application } else { Closed::Mailbox });
        }
        let others_wait = !self.turns.is_empty() || state.is_some_and(|state| !state.waiting.is_empty());
        (others_wait || self.passed >= self.limits.application).then_some(Closed::Application)
    }

    /// Puts a request into its lane.
    pub(super) fn wait(&mut self, lane: &Lane, number: Number, caller: W, now: Instant) {
        self.lanes.entry(lane.clone()).or_default().waiting.insert(number, caller);
        self.line_up(lane, now);
    }

    /// Lets the next request pass, if one may.
    pub(super) fn next(&mut self, now: Instant) -> Option<W> {
        while self.passed < self.limits.application {
            let lane = self.turns.pop_front()?;
            let limit = self.limits.of(&lane);
            let Some(state) = self.lanes.get_mut(&lane) else { continue };
            state.has_turn = false;
            let first = if state.is_open(limit, now) { state.waiting.pop_first() } else { None };
            state.passed += usize::from(first.is_some());
            self.line_up(&lane, now);
            if let Some((_, caller)) = first {
                self.passed += 1;
                return Some(caller);
            }
        }
        None
    }

    /// A request leaves: from its lane if it still waits there, otherwise from Graph.
    pub(super) fn leave(&mut self, lane: &Lane, number: Number, now: Instant) {
        let Some(state) = self.lanes.get_mut(lane) else { return };
        if state.waiting.remove(&number).is_none() {
            state.passed = state.passed.saturating_sub(1);
            self.passed = self.passed.saturating_sub(1);
        } else if state.waiting.is_empty() && std::mem::take(&mut state.has_turn) {
            self.turns.retain(|other| other != lane);
        }
        self.line_up(lane, now);
        self.tidy(lane);
    }

    /// Closes a lane until `end`. Whether this is later than before.
    pub(super) fn pause(&mut self, lane: &Lane, end: Instant) -> bool {
        let state = self.lanes.entry(lane.clone()).or_default();
        let is_later = state.paused.is_none_or(|before| before < end);
        if is_later {
            state.paused = Some(end);
        }
        is_later
    }

    /// Opens a lane whose pause is over.
    pub(super) fn reopen(&mut self, lane: &Lane, now: Instant) {
        if let Some(state) = self.lanes.get_mut(lane) {
            state.paused.take_if(|end| *end <= now);
        }
        self.line_up(lane, now);
        self.tidy(lane);
    }

    /// Gives the lane a turn if its first request could pass.
    fn line_up(&mut self, lane: &Lane, now: Instant) {
        let limit = self.limits.of(lane);
        let Some(state) = self.lanes.get_mut(lane) else { return };
        if state.is_open(limit, now) && !state.has_turn {
            state.has_turn = true;
            self.turns.push_back(lane.clone());
        }
    }

    /// Forgets a lane that nobody is in.
    fn tidy(&mut self, lane: &Lane) {
        let is_left =
            |state: &State<W>| state.passed == 0 && state.waiting.is_empty() && state.paused.is_none();
        if self.lanes.get(lane).is_some_and(is_left) {
            self.lanes.remove(lane);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.lanes.len(), self.turns.len())
    }
}

impl<W> State<W> {
    fn is_open(&self, limit: usize, now: Instant) -> bool {
        !self.waiting.is_empty() && self.passed < limit && !self.is_paused(now)
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|end| now < end)
    }
}

impl<W> Default for State<W> {
    fn default() -> Self {
        Self { passed: 0, waiting: BTreeMap::new(), paused: None, has_turn: false }
    }
}

impl GateLimits {
    fn of(self, lane: &Lane) -> usize {
        match lane {
            Lane::Mailbox(_) => self.mailbox.min(self.application),
            Lane::Directory => self.application,
        }
    }
}
