//! How many lines of one kind the log has. A kind is one place in the code that logs.
//!
//! Strangers can cause lines: by a request, a connection, a page. Each kind has a burst and a rate, and what is beyond
//! them is counted, so no flood of one kind hides another or fills a disk. The number of kinds is the number of places in
//! the code, so the whole log is bounded too.
//!
//! Not limited are lines that only the operator causes, by files and signals ([`BY_THE_OPERATOR`]), and lines at `debug`
//! and `trace`: who asks for these looks for single requests, and counts would hide them. The queue bounds their memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::metrics::log_lines::{LeftOut, count};
use crate::rate_limiter::Bucket;

/// How many lines of one kind come at once. A person reads some of a kind to understand it, and no more.
pub(super) const BURST: u32 = 20;
/// The time between two lines of one kind after the burst: at most 86,400 lines a day, about 20 MB.
const PACE: Duration = Duration::from_secs(1);
/// The parts of the program that only the operator's files and signals make log: start, stop, reload. With many
/// consumers they log many lines of one kind, and each of them says something else.
const BY_THE_OPERATOR: [&str; 2] = ["glassine::service", "glassine::config"];

/// The kinds of lines that were logged.
#[derive(Default)]
pub(super) struct Limits(Mutex<HashMap<Identifier, Kind>>);

struct Kind {
    level: Level,
    target: &'static str,
    /// The text of its first line. In this program it is the same in all.
    message: String,
    bucket: Bucket,
    left_out: u64,
}

/// Lines of one kind that were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    level: Level,
    target: &'static str,
    message: String,
    lines: u64,
}

impl Limits {
    /// Whether this event may become a line. If not, counts it.
    fn allow(&self, event: &Event<'_>, now: Instant) -> bool {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(event.metadata().callsite()).or_insert_with(|| Kind::of(event, now));
        let allowed = kind.bucket.take(now);
        if !allowed {
            kind.left_out = kind.left_out.saturating_add(1);
            count(LeftOut::Limit, 1);
        }
        allowed
    }

    /// What was left out since the last call.
    pub(super) fn left_out(&self) -> Vec<Summary> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.values_mut().filter_map(Kind::sum_up).collect()
    }
}

impl Kind {
    fn of(event: &Event<'_>, now: Instant) -> Self {
        let mut message = Message(String::new());
        event.record(&mut message);
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        Self { level, target, message: message.0, bucket: Bucket::new(PACE, BURST, now), left_out: 0 }
    }

    fn sum_up(&mut self) -> Option<Summary> {
        let lines = std::mem::take(&mut self.left_out);
        let Self { level, target, message, .. } = self;
        (lines > 0).then(|| Summary { level: *level, target, message: message.clone(), lines })
    }
}

impl Summary {
    /// Logs the count at the level of what was left out. `kind` and `kind_target` are its message and its target, by which
    /// a program finds the lines that were written.
    pub(super) fn log(&self) {
        let Self { level, target: kind_target, message: kind, lines: left_out } = self;
        let left_out = *left_out;
        match *level {
            Level::ERROR => {
                tracing::error!(kind, kind_target, left_out, "more lines like this were left out")
            }
            Level::WARN => tracing::warn!(kind, kind_target, left_out, "more lines like this were left out"),
            _ => tracing::info!(kind, kind_target, left_out, "more lines like this were left out"),
        }
    }
}

fn is_limited(metadata: &Metadata<'_>) -> bool {
    let is_of = |part: &str| metadata.target().starts_with(part);
    *metadata.level() <= Level::INFO && !BY_THE_OPERATOR.into_iter().any(is_of)
}

/// Applies [`Limits`] to all events that pass the filters before it.
pub(super) struct LimitLayer(pub(super) Arc<Limits>);

impl<S: Subscriber> Layer<S> for LimitLayer {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        !is_limited(event.metadata()) || self.0.allow(event, Instant::now())
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Bytes(Arc<Mutex<Vec<u8>>>);

    impl Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `events` log, and what is left out.
    fn logged(events: impl FnOnce()) -> (Vec<String>, Vec<Summary>) {
        let (limits, bytes) = (Arc::new(Limits::default()), Bytes::default());
        let writer = bytes.clone();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let limit = LimitLayer(Arc::clone(&limits));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(limit).with(lines), || {
            events();
            limits.left_out().iter().for_each(Summary::log);
        });
        let text = String::from_utf8(bytes.0.lock().unwrap().clone()).unwrap();
        (text.lines().map(str::to_owned).collect(), limits.left_out())
    }

    /// Fault: strangers cause 100,000 equal log lines. Outcome: the log has a few of them and one line with the count of the rest.
    #[test]
    fn a_flood_of_one_kind_is_a_few_lines_and_a_count_and_other_kinds_are_unaffected() {
        let (lines, rest) = logged(|| {
            for number in 0..100_000 {
                tracing::warn!(target: "glassine::proxy", number, "a flood");
            }
            tracing::warn!(target: "glassine::proxy", "another kind");
        });
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).collect::<Vec<_>>();
        let written = of(": a flood number=").len();
        assert!(
            (20..60).contains(&written),
            "a burst, and one for each second that the test takes: {written}"
        );
        assert_eq!(of("another kind").len(), 1);
        let [summary] = of("more lines like this were left out")[..] else { panic!("{lines:?}") };
        let left_out = 100_000 - written;
        for part in
            [" WARN ", "kind=\"a flood\"", "kind_target=\"glassine::proxy\"", &format!("left_out={left_out}")]
        {
            assert!(summary.contains(part), "{part:?} is missing in {summary}");
        }
        assert_eq!(rest, []);
    }

    #[test]
    fn what_the_operator_causes_or_asks_for_is_not_limited() {
        let (lines, _) = logged(|| {
            for _ in 0..100 {
                tracing::info!(target: "glassine::service::events", "a consumer is served");
                tracing::debug!(target: "glassine::proxy::problem", "a request got no document");
            }
        });
        assert_eq!(lines.len(), 200);
    }
}
