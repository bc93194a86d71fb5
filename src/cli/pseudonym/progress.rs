//! How far a long run is, for a person who watches.

use std::io::{IsTerminal as _, Write, stderr};

/// Rows between two reports: several reports a second.
const STEP: u64 = 100_000;

/// Counts rows, and reports them where somebody sees it.
pub(super) struct Progress {
    unit: &'static str,
    count: u64,
    is_shown: bool,
}

impl Progress {
    /// Reports only to a terminal: a file or a pipe has no use for it.
    pub(super) fn on_a_terminal(unit: &'static str) -> Self {
        Self { unit, count: 0, is_shown: stderr().is_terminal() }
    }

    /// How many rows were counted.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Counts one. A report that cannot be written does not matter.
    pub(super) fn step(&mut self, err: &mut dyn Write) {
        self.count = self.count.saturating_add(1);
        if self.is_shown && self.count.is_multiple_of(STEP) {
            write!(err, "\r{} {}", self.count, self.unit).ok();
        }
    }

    /// Ends the line of the reports, if there is one.
    pub(super) fn finish(&self, err: &mut dyn Write) {
        if self.is_shown && self.count >= STEP {
            writeln!(err, "\r{} {}", self.count, self.unit).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(is_shown: bool, rows: u64) -> String {
        let (mut progress, mut err) = (Progress { unit: "rows", count: 0, is_shown }, Vec::new());
        (0..rows).for_each(|_| progress.step(&mut err));
        progress.finish(&mut err);
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_long_run_is_reported_and_a_short_one_is_not() {
        assert_eq!(reports(true, 200_001), "\r100000 rows\r200000 rows\r200001 rows\n");
        assert_eq!(reports(true, STEP - 1), "");
        assert_eq!(reports(false, STEP), "");
    }
}
