//! Which rules served which consumer, from when until when, and how many requests: read from the records of a log.
//!
//! The events of the service say when rules begin and end to serve. Each request counts by its own `rules`, not by its
//! place in the log, because a request that began before a reload is recorded after it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a log says, so far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Per consumer and rules, in the order in which they began.
    pub periods: Vec<Period>,
    /// Requests of nobody: no consumer was identified.
    pub unidentified: Requests,
    /// The service's events.
    pub events: Events,
    /// Responses that began and have no record yet, by their ids.
    #[serde(skip)]
    open: BTreeSet<String>,
    /// The period of each consumer that began last.
    #[serde(skip)]
    latest: BTreeMap<String, usize>,
    /// The time of the latest record.
    #[serde(skip)]
    now: String,
}

/// A time in which one statement served one consumer. A restart with the same rules does not end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The consumer's name.
    pub consumer: String,
    /// The fingerprint of the statement: 64 digits; 16 if the log has no event about it; `None` in records of versions
    /// that recorded none.
    pub rules: Option<String>,
    /// Who approved the statement.
    pub approved_by: Vec<String>,
    /// When it began to serve: the event, or else the first request.
    pub from: String,
    /// When it ended; `None` if the log does not say so.
    pub until: Option<String>,
    /// The requests that it served.
    #[serde(flatten)]
    pub requests: Requests,
}

/// Requests, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Those that the rules admitted.
    pub allowed: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// The service's events, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Events {
    /// Starts.
    pub starts: u64,
    /// Reloads.
    pub reloads: u64,
    /// Reloads that failed.
    pub failed_reloads: u64,
    /// Stops. A crash records none.
    pub stops: u64,
    /// Responses of which data left and whose end no record tells: the program was killed meanwhile.
    pub never_closed: u64,
    /// Requests that were refused without a record of their own, because the log could not be written.
    pub unrecorded: u64,
    /// Records of responses that the consumer did not get whole, because the log had them too late.
    pub corrected: u64,
}

/// The fields of a record that the report reads.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    time: String,
    event: Option<String>,
    consumer: Option<String>,
    rules: Option<String>,
    decision: Option<String>,
    #[serde(default)]
    consumers: Vec<Served>,
    part: Option<u64>,
    request_id: Option<String>,
    refused: Option<u64>,
    /// How many requests an event of unidentified ones counts.
    #[serde(default)]
    requests: u64,
}

#[derive(Deserialize)]
struct Served {
    consumer: String,
    rules: Option<String>,
    #[serde(default)]
    approved_by: Vec<String>,
}

impl Report {
    /// Reads the next record of the log. What later versions may add is left aside.
    pub fn add(&mut self, line: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record>(line) else { return };
        match record.event.as_deref() {
            None => self.request(&record),
            Some("begin") => self.open.extend(record.request_id),
            Some("resumed") => self.events.unrecorded += record.refused.unwrap_or(0),
            Some("corrected") => self.events.corrected += 1,
            Some("start") => self.start(record),
            Some("reload") => {
                self.events.reloads += u64::from(record.is_first());
                self.serve(record);
            }
            Some("reload_failed") => self.events.failed_reloads += u64::from(record.is_first()),
            Some("stop") => {
                self.events.stops += 1;
                self.interrupt(&record.time);
                self.now = record.time;
            }
            Some("unidentified") => self.count(&record, Requests { allowed: 0, refused: record.requests }),
            Some(_) => {}
        }
    }

    fn start(&mut self, record: Record) {
        if record.is_first() {
            self.events.starts += 1;
            // What is open now stays so: another process began it.
            self.close_all();
            // After a crash, the last record is the last sign of what served before.
            self.interrupt(&self.now.clone());
        }
        self.serve(record);
    }

    /// Counts responses that are open as never closed.
    fn close_all(&mut self) {
        let open = std::mem::take(&mut self.open).len();
        self.events.never_closed += u64::try_from(open).unwrap_or(u64::MAX);
    }

    /// Responses that began and have no record yet: the proxy is sending them, or was killed since the last start.
    pub fn still_open(&self) -> usize {
        self.open.len()
    }

    /// Nothing serves from `time` on.
    fn interrupt(&mut self, time: &str) {
        for at in self.latest.values() {
            if let Some(period) = self.periods.get_mut(*at) {
                period.until.get_or_insert_with(|| time.to_owned());
            }
        }
    }

    fn serve(&mut self, record: Record) {
        for Served { consumer, rules, approved_by } in record.consumers {
            match (self.latest_of(&consumer), rules) {
                (Some(period), Some(rules)) if period.goes_on(&rules, &approved_by) => {
                    period.rules = Some(rules);
                    period.approved_by = approved_by;
                    period.until = None;
                }
                (_, Some(rules)) => self.begin(consumer, Some(rules), approved_by, &record.time),
                (_, None) => self.end(&consumer, &record.time),
            }
        }
        self.now = record.time;
    }

    fn latest_of(&mut self, consumer: &str) -> Option<&mut Period> {
        let at = *self.latest.get(consumer)?;
        self.periods.get_mut(at)
    }

    fn begin(&mut self, consumer: String, rules: Option<String>, approved_by: Vec<String>, from: &str) {
        self.end(&consumer, from);
        self.latest.insert(consumer.clone(), self.periods.len());
        let (from, requests) = (from.to_owned(), Requests::default());
        self.periods.push(Period { consumer, rules, approved_by, from, until: None, requests });
    }

    fn end(&mut self, consumer: &str, time: &str) {
        if let Some(period) = self.latest_of(consumer) {
            period.until.get_or_insert_with(|| time.to_owned());
        }
        self.latest.remove(consumer);
    }

    fn request(&mut self, record: &Record) {
        if let Some(id) = &record.request_id {
            self.open.remove(id);
        }
        let allowed = u64::from(record.decision.as_deref() == Some("allowed"));
        self.count(record, Requests { allowed, refused: 1 - allowed });
    }

    fn count(&mut self, record: &Record, more: Requests) {
        if self.now < record.time {
            self.now.clone_from(&record.time);
        }
        let requests = match &record.consumer {
            Some(consumer) => self.requests_of(consumer, record),
            None => Some(&mut self.unidentified),
        };
        if let Some(requests) = requests {
            requests.allowed = requests.allowed.saturating_add(more.allowed);
            requests.refused = requests.refused.saturating_add(more.refused);
        }
    }

    /// The count of the latest period in which the request's rules served its consumer.
    fn requests_of(&mut self, consumer: &str, record: &Record) -> Option<&mut Requests> {
        let is_of = |period: &Period| period.consumer == consumer && period.served(record.rules.as_deref());
        let known = self.periods.iter().rposition(is_of);
        let at = known.unwrap_or_else(|| {
            // The log has no event about these rules: it begins later, or an earlier version wrote it.
            self.begin(consumer.to_owned(), record.rules.clone(), Vec::new(), &record.time);
            self.periods.len() - 1
        });
        self.periods.get_mut(at).map(|period| &mut period.requests)
    }
}

impl Record {
    /// Whether this is the first line of its event.
    fn is_first(&self) -> bool {
        self.part.is_none_or(|part| part == 1)
    }
}

impl Period {
    /// Whether an event with this whole fingerprint changes nothing. Of a period that a request began, the log knows
    /// neither the whole fingerprint nor the approvals.
    fn goes_on(&self, whole: &str, approved_by: &[String]) -> bool {
        self.rules.as_deref().is_some_and(|own| {
            if own.len() < whole.len() {
                whole.starts_with(own)
            } else {
                own == whole && self.approved_by == approved_by
            }
        })
    }

    /// Whether a request with this short fingerprint was served by this period's rules.
    fn served(&self, short: Option<&str>) -> bool {
        match (&self.rules, short) {
            (Some(own), Some(short)) => own.starts_with(short),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}
