//! The open connections of a listener, and which of them makes room for a newcomer.
//!
//! Nobody waits for strangers. A connection without a request in progress is *idle*; one that has not sent its first
//! request has been idle since it was accepted. When all places are taken, the connection that has been idle longest
//! is closed: first among those on which nobody was identified, then among the others. An address that holds its share
//! of the places makes room itself. A connection with a request in progress is never closed.
//!
//! Idle connections are kept in order, so that a flood of newcomers costs a logarithm each, not a search. The order
//! changes when a request begins and when it ends, under one lock that is held for less than a microsecond.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::door::{Door, Origin};
use super::limits::{MAX_LEAVING, ServerLimits};
use crate::metrics::connections::{Closed, Doing};

/// All connections of a listener.
pub(super) struct Roster {
    table: Mutex<Table>,
    door: Arc<Door>,
    /// A place may have become free.
    room: Notify,
    places: usize,
    share: usize,
    /// How long a connection of an identified client is idle before it makes room for others: its next request may be
    /// on its way.
    grace: Duration,
}

#[derive(Default)]
struct Table {
    next: u64,
    seats: HashMap<u64, Entry>,
    /// The idle connections: the first one makes room first.
    idle: BTreeSet<Turn>,
    held_by: HashMap<Origin, Held>,
    /// Connections that were asked to make room and have not ended yet.
    leaving: usize,
    /// A newcomer waits.
    is_awaited: bool,
}

/// What one origin holds.
#[derive(Default)]
struct Held {
    count: usize,
    idle: BTreeSet<Turn>,
}

/// In this order idle connections make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    identified: bool,
    since: Instant,
    id: u64,
}

struct Entry {
    /// `None`: a trusted proxy.
    origin: Option<Origin>,
    identified: bool,
    idle_since: Option<Instant>,
    wake: Arc<Wake>,
}

/// Wakes the task that serves a connection.
#[derive(Debug, Default)]
pub(super) struct Wake {
    notify: Notify,
    displaced: AtomicBool,
}

/// A connection's place. It becomes free when this value is dropped.
pub(super) struct Seat {
    roster: Arc<Roster>,
    id: u64,
    wake: Arc<Wake>,
    since: Instant,
    is_trusted: bool,
    is_identified: AtomicBool,
}

/// Why a newcomer has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    /// Its address holds its share of the places, and all of its connections are busy.
    Share,
    /// All places are taken by busy connections, or by connections that were busy a moment ago. `Some`: one of them
    /// makes room at this time if it stays idle.
    Full(Option<Instant>),
}

impl Roster {
    pub(super) fn new(door: Arc<Door>, limits: &ServerLimits) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            door,
            room: Notify::new(),
            places: limits.connections,
            share: limits.connections_per_address,
            grace: limits.last_request,
        })
    }

    /// A place for a newcomer, which an idle connection may have to leave. `origin`: whose share it counts to, if it
    /// counts.
    pub(super) fn admit(self: &Arc<Self>, origin: Option<Origin>) -> Result<Seat, NoSeat> {
        let now = Instant::now();
        let mut table = self.table();
        if let Some(turn) = self.make_room_in_share(&mut table, origin)? {
            self.displace(&mut table, turn, Closed::ShareMakesRoom);
        } else if let Some(turn) = self.make_room(&mut table, now)? {
            self.displace(&mut table, turn, Closed::MakesRoom);
        }
        Ok(self.seat(&mut table, origin, now))
    }

    /// Waits until [`Self::admit`] may have another result, at the latest until `until`.
    pub(super) async fn changed(&self, until: Option<Instant>) {
        let later = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.room.notified() => {}
            () = later => {}
        }
    }

    /// Who has to go because `origin` holds its share.
    fn make_room_in_share(&self, table: &mut Table, origin: Option<Origin>) -> Result<Option<Turn>, NoSeat> {
        let Some(held) = origin.and_then(|origin| table.held_by.get(&origin)) else { return Ok(None) };
        if held.count < self.share {
            return Ok(None);
        }
        let turn = held.idle.first().copied().ok_or(NoSeat::Share)?;
        table.may_displace().map(|()| Some(turn))
    }

    /// Who has to go because all places are taken.
    fn make_room(&self, table: &mut Table, now: Instant) -> Result<Option<Turn>, NoSeat> {
        if table.seats.len() - table.leaving < self.places {
            return Ok(None);
        }
        table.may_displace()?;
        let turn = table.idle.first().copied();
        let until = turn.map(|turn| if turn.identified { turn.since + self.grace } else { now });
        if until.is_some_and(|until| until <= now) { Ok(turn) } else { Err(table.full(until)) }
    }

    fn seat(self: &Arc<Self>, table: &mut Table, origin: Option<Origin>, since: Instant) -> Seat {
        let (id, wake) = (table.next, Arc::<Wake>::default());
        table.next += 1;
        table.take(origin);
        let entry = Entry { origin, identified: false, idle_since: Some(since), wake: Arc::clone(&wake) };
        table.queue(id, &entry);
        self.count(None, Some(entry.doing()));
        table.seats.insert(id, entry);
        let (is_trusted, is_identified) = (origin.is_none(), AtomicBool::new(false));
        Seat { roster: Arc::clone(self), id, wake, since, is_trusted, is_identified }
    }

    /// Asks the task of an idle connection to end. Its place counts as free.
    fn displace(&self, table: &mut Table, turn: Turn, why: Closed) {
        let Some(entry) = table.seats.get(&turn.id) else { return };
        let (origin, wake) = (entry.origin, Arc::clone(&entry.wake));
        table.unqueue(turn, origin);
        table.release(origin);
        table.leaving += 1;
        wake.displaced.store(true, Ordering::Release);
        wake.notify.notify_one();
        self.door.closed(why);
    }

    /// Changes what is known of a connection, and its turn.
    fn change(&self, id: u64, change: impl FnOnce(&mut Entry)) {
        let mut table = self.table();
        let Some(mut entry) = table.seats.remove(&id) else { return };
        let before = entry.doing();
        if let Some(turn) = entry.turn(id) {
            table.unqueue(turn, entry.origin);
        }
        change(&mut entry);
        table.queue(id, &entry);
        self.count(Some(before), Some(entry.doing()));
        let is_idle = entry.idle_since.is_some();
        table.seats.insert(id, entry);
        if is_idle {
            self.tell(&mut table);
        }
    }

    fn leave(&self, id: u64) {
        let mut table = self.table();
        let Some(entry) = table.seats.remove(&id) else { return };
        self.count(Some(entry.doing()), None);
        if entry.is_displaced() {
            table.leaving -= 1;
        } else {
            if let Some(turn) = entry.turn(id) {
                table.unqueue(turn, entry.origin);
            }
            table.release(entry.origin);
        }
        self.tell(&mut table);
    }

    /// Wakes the newcomer that waits, if one does.
    fn tell(&self, table: &mut Table) {
        if std::mem::take(&mut table.is_awaited) {
            self.room.notify_one();
        }
    }

    fn count(&self, before: Option<Doing>, now: Option<Doing>) {
        let (metrics, listener) = self.door.metrics();
        metrics.connections().changes(listener, before, now);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A poisoned lock is safe to use: nothing under it panics between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether another connection may be asked to make room now.
    fn may_displace(&mut self) -> Result<(), NoSeat> {
        if self.leaving < MAX_LEAVING { Ok(()) } else { Err(self.full(None)) }
    }

    /// A newcomer has to wait.
    fn full(&mut self, until: Option<Instant>) -> NoSeat {
        self.is_awaited = true;
        NoSeat::Full(until)
    }

    /// Gives an idle connection its turn. One that was displaced has none any more.
    fn queue(&mut self, id: u64, entry: &Entry) {
        let Some(turn) = entry.turn(id).filter(|_| !entry.is_displaced()) else { return };
        self.idle.insert(turn);
        if let Some(held) = self.held_by(entry.origin) {
            held.idle.insert(turn);
        }
    }

    fn unqueue(&mut self, turn: Turn, origin: Option<Origin>) {
        self.idle.remove(&turn);
        if let Some(held) = self.held_by(origin) {
            held.idle.remove(&turn);
        }
    }

    fn held_by(&mut self, origin: Option<Origin>) -> Option<&mut Held> {
        self.held_by.get_mut(&origin?)
    }

    /// An origin holds one connection more.
    fn take(&mut self, origin: Option<Origin>) {
        if let Some(origin) = origin {
            self.held_by.entry(origin).or_default().count += 1;
        }
    }

    /// An origin holds one connection less.
    fn release(&mut self, origin: Option<Origin>) {
        let Some(origin) = origin else { return };
        let left = self.held_by(Some(origin)).map(|held| {
            held.count -= 1;
            held.count
        });
        if left == Some(0) {
            self.held_by.remove(&origin);
        }
    }
}

impl Entry {
    fn turn(&self, id: u64) -> Option<Turn> {
        self.idle_since.map(|since| Turn { identified: self.identified, since, id })
    }

    fn doing(&self) -> Doing {
        match (self.idle_since, self.identified) {
            (None, _) => Doing::Busy,
            (Some(_), true) => Doing::Idle,
            (Some(_), false) => Doing::Strange,
        }
    }

    fn is_displaced(&self) -> bool {
        self.wake.displaced.load(Ordering::Acquire)
    }
}

impl Seat {
    /// A request begins while none is in progress.
    pub(super) fn busy(&self) {
        self.roster.change(self.id, |entry| entry.idle_since = None);
    }

    /// The last request in progress has ended.
    pub(super) fn idle(&self) {
        self.roster.change(self.id, |entry| entry.idle_since = Some(Instant::now()));
    }

    /// Whoever sent a request was identified.
    pub(super) fn identified(&self) {
        if !self.is_identified.swap(true, Ordering::AcqRel) {
            self.roster.change(self.id, |entry| entry.identified = true);
        }
    }

    /// Whether nobody was identified on the connection, and it is no trusted proxy's, which carries requests of others.
    pub(super) fn is_strangers(&self) -> bool {
        !self.is_trusted && !self.is_identified.load(Ordering::Acquire)
    }

    /// When the connection was accepted.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether the connection is a trusted proxy's, with the requests of many clients.
    pub(super) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Whether the connection has to make room.
    pub(super) fn is_displaced(&self) -> bool {
        self.wake.displaced.load(Ordering::Acquire)
    }

    /// Wakes the task that serves the connection.
    pub(super) fn wake(&self) {
        self.wake.notify.notify_one();
    }

    /// Waits for [`Self::wake`], or until the connection has to make room. Cancel-safe.
    pub(super) async fn woken(&self) {
        self.wake.notify.notified().await;
    }

    pub(super) fn door(&self) -> &Door {
        &self.roster.door
    }
}

#[cfg(test)]
impl Seat {
    /// A seat in a roster without others.
    pub(super) fn alone() -> Self {
        tests::roster(1, 1).admit(None).unwrap()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.roster.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::server::door::{DoorRules, Visitor};

    const GRACE: Duration = Duration::from_secs(1);

    pub(super) fn roster(places: usize, share: usize) -> Arc<Roster> {
        let door = Door::public(DoorRules::default(), Arc::new(Metrics::new()));
        let limits = ServerLimits {
            connections: places,
            connections_per_address: share,
            last_request: GRACE,
            ..ServerLimits::default()
        };
        Roster::new(Arc::new(door), &limits)
    }

    fn origin(last: u8) -> Option<Origin> {
        let door = Door::public(DoorRules::default(), Arc::new(Metrics::new()));
        match door.visitor([127, 0, 0, last].into()) {
            Visitor::Client(origin) => Some(origin),
            Visitor::Trusted | Visitor::Unwelcome => None,
        }
    }

    /// A connection that was idle from now on, after a request of an identified client.
    fn identified(roster: &Arc<Roster>, last: u8) -> Seat {
        let seat = roster.admit(origin(last)).unwrap();
        seat.busy();
        seat.identified();
        seat.idle();
        seat
    }

    async fn pass(time: Duration) {
        tokio::time::advance(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_stranger_makes_room_first() {
        let roster = roster(3, 3);
        let honest = identified(&roster, 1);
        pass(GRACE).await;
        let first = roster.admit(origin(2)).unwrap();
        pass(GRACE).await;
        let second = roster.admit(origin(3)).unwrap();
        let newcomer = roster.admit(origin(4)).unwrap();
        assert_eq!(
            [&honest, &first, &second, &newcomer].map(Seat::is_displaced),
            [false, true, false, false]
        );
        assert!(roster.admit(origin(5)).is_ok() && second.is_displaced());
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_connection_never_makes_room() {
        let roster = roster(2, 2);
        let busy = roster.admit(origin(1)).unwrap();
        busy.busy();
        let stranger = roster.admit(origin(2)).unwrap();
        assert!(roster.admit(origin(3)).is_ok() && stranger.is_displaced() && !busy.is_displaced());
        let other = roster.admit(origin(4)).unwrap();
        other.busy();
        assert_eq!(roster.admit(origin(5)).err(), Some(NoSeat::Full(None)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_identified_client_that_paused_for_a_moment_does_not_make_room() {
        let roster = roster(1, 1);
        let honest = identified(&roster, 1);
        let until = Instant::now() + GRACE;
        assert_eq!(roster.admit(origin(2)).err(), Some(NoSeat::Full(Some(until))));
        roster.changed(Some(until)).await;
        assert!(roster.admit(origin(2)).is_ok() && honest.is_displaced());
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_is_made_room_for_by_its_own_address() {
        let roster = roster(4, 2);
        let other = roster.admit(origin(1)).unwrap();
        pass(GRACE).await;
        let [first, second] = [(); 2].map(|()| roster.admit(origin(2)).unwrap());
        let third = roster.admit(origin(2)).unwrap();
        assert_eq!([&other, &first, &second].map(Seat::is_displaced), [false, true, false]);
        second.busy();
        third.busy();
        assert_eq!(roster.admit(origin(2)).err(), Some(NoSeat::Share));
        assert!(roster.admit(origin(3)).is_ok(), "others are not affected");
        drop(second);
        assert!(roster.admit(origin(2)).is_ok(), "the share has room again");
    }

    #[tokio::test(start_paused = true)]
    async fn trusted_proxies_have_no_share() {
        let roster = roster(8, 1);
        let seats: Vec<_> = (0..8).map(|_| roster.admit(None).unwrap()).collect();
        assert!(!seats.iter().any(Seat::is_displaced));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_when_a_connection_ends_or_becomes_idle() {
        let roster = roster(1, 1);
        let busy = roster.admit(origin(1)).unwrap();
        busy.busy();
        assert!(roster.admit(origin(2)).is_err());
        busy.idle();
        roster.changed(None).await;
        busy.busy();
        assert!(roster.admit(origin(2)).is_err());
        drop(busy);
        roster.changed(None).await;
        assert!(roster.admit(origin(2)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn connections_on_their_way_out_are_bounded() {
        let roster = roster(1, 1);
        let mut seats = vec![roster.admit(origin(1)).unwrap()];
        for _ in 0..MAX_LEAVING {
            seats.push(roster.admit(origin(1)).unwrap());
        }
        assert_eq!(roster.admit(origin(2)).err(), Some(NoSeat::Full(None)));
        drop(seats.swap_remove(0));
        assert!(roster.admit(origin(2)).is_ok());
        drop(seats);
        assert!(roster.table().seats.is_empty() && roster.table().held_by.is_empty());
        assert!(roster.table().idle.is_empty() && roster.table().leaving == 0);
    }
}
