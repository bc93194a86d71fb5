//! Requests whose sender was not identified: which of them get a record of their own, and which are only counted.
//!
//! Anybody can send such requests, at any rate. If each had a record, strangers could fill the disk, and then nothing that
//! must be recorded could be served. So the first request of an address range in a quiet moment gets an ordinary record.
//! It opens a window of a second, and further requests of the range are counted. At the end of the window one line has the
//! counts, and the next window begins. Every request is in exactly one record: as one, or in one count.
//!
//! ```text
//!  request ─▶ is the range's window open? ── yes ──▶ counted ──▶ one line at the window's end
//!                  │ no                                  ▲
//!                  └─▶ is there room, and budget? ─ yes ─┼──▶ a record of its own; opens the window
//!                            │ no                        │
//!                            └───────────────▶ counted in the window of all `other` ranges
//! ```
//!
//! A range is the smallest network that is routed on the Internet by itself: /24 of IPv4, /48 of IPv6. Whoever holds an
//! address of it usually can get all others too, so a range is one source. It is not a person's address.
//!
//! This file decides, and does no input or output. Callers pass the time.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::record::name;
use crate::rate_limiter::Bucket;

/// How long requests of a range are counted before a line has the counts: so long that a flood is one line in tens of
/// thousands of requests, so short that a reader of the log sees it while it lasts.
pub const WINDOW: Duration = Duration::from_secs(1);

/// The most ranges with a window at once, about 200 KB. Requests of further ranges are counted together.
const MAX_RANGES: usize = 1024;

/// The lines that come at once: a thousand mistakes of a deployment that is being set up keep their own records.
const BURST: u32 = 1000;

/// The time between two lines after the burst, over all ranges. With the line of `other`, strangers write three lines a
/// second: 260,000 lines or about 130 MB a day, which leaves the room of every usual disk to identified consumers.
const BETWEEN_LINES: Duration = Duration::from_millis(500);

/// The length of a range's prefix in IPv4: longer ones are not routed on the Internet.
const PREFIX_V4: u8 = 24;
/// The same in IPv6.
const PREFIX_V6: u8 = 48;

/// Where an unidentified request comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    range: IpNet,
    shown: Option<Shown>,
}

/// Whose credential the request had, though its sender is not taken for this consumer: it is not one of the consumer's
/// addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shown {
    /// The consumer's name.
    pub consumer: Arc<str>,
    /// The short fingerprint of its rules.
    pub rules: Arc<str>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Noted {
    /// Its record is to be written.
    Record,
    /// It is counted. A later line has it.
    Counted,
}

/// The counts of one window, a line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The address range, such as `203.0.113.0/24`; `other` stands for all ranges that had no line of their own.
    #[serde(serialize_with = "range_or_other")]
    pub from: Option<IpNet>,
    /// The consumer whose credential the requests had; `None` if they had none of any consumer.
    #[serde(serialize_with = "name")]
    pub consumer: Option<Arc<str>>,
    /// The short fingerprint of that consumer's rules.
    #[serde(serialize_with = "name")]
    pub rules: Option<Arc<str>>,
    /// The number of requests.
    pub requests: u64,
    /// The number by reason. The reasons are those of records.
    pub reasons: BTreeMap<&'static str, u64>,
    /// How long they were counted.
    pub milliseconds: u64,
}

/// The windows of all ranges.
#[derive(Debug)]
pub struct Unidentified {
    ranges: HashMap<Source, Window>,
    other: Option<Window>,
    /// The line of `other` does not come before.
    next_other: Instant,
    budget: Bucket,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    reasons: BTreeMap<&'static str, u64>,
}

impl Source {
    /// The range of this address. An IPv4 address that is written as an IPv6 one is in its IPv4 range.
    pub fn new(address: IpAddr, shown: Option<Shown>) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { PREFIX_V4 } else { PREFIX_V6 };
        // Both lengths are valid, so the address itself never stands for its range.
        let range = IpNet::new(address, prefix).map_or_else(|_| IpNet::from(address), |range| range.trunc());
        Self { range, shown }
    }
}

impl Unidentified {
    /// Nothing has been counted.
    pub fn new(now: Instant) -> Self {
        let budget = Bucket::new(BETWEEN_LINES, BURST, now);
        Self { ranges: HashMap::new(), other: None, next_other: now, budget }
    }

    /// Notes a request that ended for `reason`.
    pub fn note(&mut self, source: Source, reason: &'static str, now: Instant) -> Noted {
        if let Some(window) = self.ranges.get_mut(&source) {
            window.count(reason);
        } else if self.ranges.len() < MAX_RANGES && self.budget.take(now) {
            self.ranges.insert(source, Window::new(now));
            return Noted::Record;
        } else {
            self.other.get_or_insert_with(|| Window::new(now)).count(reason);
        }
        Noted::Counted
    }

    /// Counts a request whose record cannot be written now.
    pub fn count(&mut self, source: Source, reason: &'static str, now: Instant) {
        let has_room = self.ranges.len() < MAX_RANGES;
        let window = match self.ranges.entry(source) {
            Entry::Occupied(window) => window.into_mut(),
            Entry::Vacant(place) if has_room => place.insert(Window::new(now)),
            Entry::Vacant(_) => self.other.get_or_insert_with(|| Window::new(now)),
        };
        window.count(reason);
    }

    /// When a window ends next.
    pub fn next_end(&self) -> Option<Instant> {
        let other = self.other.as_ref().map(|other| other.end().max(self.next_other));
        self.ranges.values().map(Window::end).chain(other).min()
    }

    /// The lines of the windows that have ended. Where the budget is used up, the counts go to `other`.
    pub fn ended(&mut self, now: Instant) -> Vec<Counts> {
        let mut lines = self.lines_of_ranges(now, |window| window.end() <= now);
        let next_other = self.next_other;
        if let Some(other) = self.other.take_if(|other| other.end().max(next_other) <= now) {
            self.next_other = now + WINDOW;
            lines.push(Counts::new(None, other, now));
        }
        lines
    }

    /// The lines of all windows, before a stop.
    pub fn rest(&mut self, now: Instant) -> Vec<Counts> {
        let mut lines = self.lines_of_ranges(now, |_| true);
        self.ranges.clear();
        lines.extend(self.other.take().map(|other| Counts::new(None, other, now)));
        lines
    }

    fn lines_of_ranges(&mut self, now: Instant, has_ended: impl Fn(&Window) -> bool) -> Vec<Counts> {
        let Self { ranges, other, budget, .. } = self;
        let mut lines = Vec::new();
        ranges.retain(|source, window| {
            if !has_ended(window) {
                return true;
            }
            if window.reasons.is_empty() {
                return false;
            }
            let ended = std::mem::replace(window, Window::new(now));
            let goes_on = budget.take(now);
            if goes_on {
                lines.push(Counts::new(Some(source), ended, now));
            } else {
                other.get_or_insert_with(|| Window::new(ended.began)).add(ended.reasons);
            }
            goes_on
        });
        lines
    }
}

impl Window {
    fn new(began: Instant) -> Self {
        Self { began, reasons: BTreeMap::new() }
    }

    fn end(&self) -> Instant {
        self.began + WINDOW
    }

    fn count(&mut self, reason: &'static str) {
        self.add(BTreeMap::from([(reason, 1)]));
    }

    fn add(&mut self, reasons: BTreeMap<&'static str, u64>) {
        for (reason, requests) in reasons {
            let total = self.reasons.entry(reason).or_default();
            *total = total.saturating_add(requests);
        }
    }
}

impl Counts {
    fn new(source: Option<&Source>, window: Window, now: Instant) -> Self {
        let (reasons, time) = (window.reasons, now.saturating_duration_since(window.began));
        let shown = source.and_then(|source| source.shown.as_ref());
        Self {
            from: source.map(|source| source.range),
            consumer: shown.map(|shown| Arc::clone(&shown.consumer)),
            rules: shown.map(|shown| Arc::clone(&shown.rules)),
            requests: reasons.values().sum(),
            reasons,
            milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

fn range_or_other<S: Serializer>(range: &Option<IpNet>, serializer: S) -> Result<S::Ok, S::Error> {
    match range {
        Some(range) => serializer.collect_str(range),
        None => serializer.serialize_str("other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TOKEN: &str = "unauthenticated";

    fn source(address: &str) -> Source {
        Source::new(address.parse().unwrap(), None)
    }

    /// As many different ranges as wanted.
    fn numbered(number: u32) -> Source {
        Source::new(IpAddr::from((number << 8).to_be_bytes()), None)
    }

    fn requests(lines: &[Counts]) -> Vec<(String, u64)> {
        let from = |line: &Counts| line.from.map_or("other".to_owned(), |range| range.to_string());
        let mut all: Vec<_> = lines.iter().map(|line| (from(line), line.requests)).collect();
        all.sort();
        all
    }

    #[test]
    fn the_first_request_has_a_record_and_a_second_of_others_one_line() {
        let began = Instant::now();
        let mut all = Unidentified::new(began);
        let note = |all: &mut Unidentified, reason, after: u64| {
            all.note(source("203.0.113.9"), reason, began + Duration::from_millis(after))
        };
        assert_eq!(note(&mut all, NO_TOKEN, 0), Noted::Record);
        assert_eq!(note(&mut all, NO_TOKEN, 10), Noted::Counted);
        assert_eq!(note(&mut all, "invalid_host", 990), Noted::Counted);
        assert_eq!((all.next_end(), all.ended(began)), (Some(began + WINDOW), vec![]));
        let lines = all.ended(began + WINDOW);
        assert_eq!(
            serde_json::to_string(&lines).unwrap(),
            "[{\"from\":\"203.0.113.0/24\",\"consumer\":null,\"rules\":null,\"requests\":2,\
             \"reasons\":{\"invalid_host\":1,\"unauthenticated\":1},\"milliseconds\":1000}]"
        );
        assert_eq!(note(&mut all, NO_TOKEN, 1_500), Noted::Counted, "the next window has begun");
        assert_eq!(requests(&all.ended(began + WINDOW * 2)), [("203.0.113.0/24".to_owned(), 1)]);
        assert_eq!(all.ended(began + WINDOW * 3), [], "nothing was counted, so there is no line");
        assert_eq!(all.next_end(), None);
        assert_eq!(note(&mut all, NO_TOKEN, 3_100), Noted::Record, "the moment is quiet again");
    }

    #[test]
    fn a_range_is_what_is_routed_by_itself() {
        let range = |address| source(address).range.to_string();
        assert_eq!(range("203.0.113.9"), "203.0.113.0/24");
        assert_eq!(range("::ffff:203.0.113.9"), "203.0.113.0/24");
        assert_eq!(range("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
        assert_ne!(source("203.0.113.9"), source("203.0.114.9"));
    }

    #[test]
    fn a_shown_credential_has_a_line_of_its_own() {
        let now = Instant::now();
        let mut all = Unidentified::new(now);
        let shown = Shown { consumer: "acme".into(), rules: "a9221b83c05f1e77".into() };
        let stolen = Source::new("203.0.113.9".parse().unwrap(), Some(shown));
        for source in [&stolen, &source("203.0.113.9")] {
            assert_eq!(all.note(source.clone(), "r", now), Noted::Record);
            assert_eq!(all.note(source.clone(), "r", now), Noted::Counted);
        }
        let mut lines = all.ended(now + WINDOW);
        lines.sort_by_key(|line| line.consumer.clone());
        let [nobody, acme] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((&nobody.consumer, nobody.requests), (&None, 1));
        assert_eq!(
            (acme.consumer.as_deref(), acme.rules.as_deref()),
            (Some("acme"), Some("a9221b83c05f1e77"))
        );
    }

    #[test]
    fn ranges_beyond_the_bound_are_counted_together() {
        let now = Instant::now();
        let mut all = Unidentified::new(now);
        let most = u32::try_from(MAX_RANGES).unwrap();
        (0..most + 5).for_each(|number| all.count(numbered(number), NO_TOKEN, now));
        assert_eq!(all.ranges.len(), MAX_RANGES);
        let lines = all.ended(now + WINDOW);
        assert_eq!(lines.iter().map(|line| line.requests).sum::<u64>(), u64::from(most + 5));
        assert_eq!(lines.len(), BURST as usize + 1, "the budget, and one line for all others");
        assert_eq!(requests(&lines).last().unwrap(), &("other".to_owned(), u64::from(most + 5 - BURST)));
    }

    #[test]
    fn nothing_is_lost_at_a_stop() {
        let now = Instant::now();
        let mut all = Unidentified::new(now);
        let records =
            (0..3_000).filter(|number| all.note(numbered(number % 1_500), NO_TOKEN, now) == Noted::Record);
        let records = u64::try_from(records.count()).unwrap();
        let counted: u64 = all.rest(now).iter().map(|line| line.requests).sum();
        assert_eq!((records, records + counted), (u64::from(BURST), 3_000));
        assert_eq!((all.rest(now), all.next_end()), (vec![], None));
    }

    /// Fault: strangers send requests from 5,000 address ranges for an hour. Outcome: the audit log gets three lines a second, and every request is in one.
    #[test]
    fn an_hour_of_a_flood_costs_three_lines_a_second_and_counts_every_request() {
        const SECONDS: u32 = 3_600;
        let began = Instant::now();
        let mut all = Unidentified::new(began);
        let (mut sent, mut recorded, mut counted, mut lines) = (0, 0, 0, 0);
        for second in 0..SECONDS {
            let now = began + Duration::from_secs(second.into());
            for number in 0..200 {
                sent += 1;
                let noted = all.note(numbered((second * 31 + number * 7) % 5_000), NO_TOKEN, now);
                recorded += u64::from(noted == Noted::Record);
            }
            let ended = all.ended(now);
            lines += ended.len();
            counted += ended.iter().map(|line| line.requests).sum::<u64>();
        }
        let rest = all.rest(began + Duration::from_secs(SECONDS.into()));
        counted += rest.iter().map(|line| line.requests).sum::<u64>();
        assert_eq!(recorded + counted, sent);
        let all_lines = usize::try_from(recorded).unwrap() + lines;
        assert!(all_lines <= (BURST + 3 * SECONDS) as usize + 3, "{all_lines}");
    }
}
