//! The grid of truncated times: whole minutes, hours or days in UTC.

use jiff::civil::{DateTime, DateTimeRound};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, Unit};

use super::plan::TimeUnit;

impl TimeUnit {
    /// The last time of the grid that is not later.
    pub(crate) fn truncate(self, time: DateTime) -> Option<DateTime> {
        let unit = match self {
            Self::Minute => Unit::Minute,
            Self::Hour => Unit::Hour,
            Self::Day => Unit::Day,
        };
        time.round(DateTimeRound::new().smallest(unit).mode(RoundMode::Trunc)).ok()
    }

    /// Whether an instant (RFC 3339) is on the grid. If T is, then `x ge T` and `x lt T` hold for a time exactly if they
    /// hold for the truncated time.
    pub(crate) fn has_on_grid(self, instant: &str) -> bool {
        instant.parse::<Timestamp>().is_ok_and(|instant| {
            let time = TimeZone::UTC.to_datetime(instant);
            self.truncate(time) == Some(time)
        })
    }

    /// A time of the grid, for messages.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Minute => "2026-01-31T13:45:00Z",
            Self::Hour => "2026-01-31T13:00:00Z",
            Self::Day => "2026-01-31T00:00:00Z",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNITS: [TimeUnit; 3] = [TimeUnit::Minute, TimeUnit::Hour, TimeUnit::Day];

    #[test]
    fn the_grid_is_in_utc() {
        for unit in UNITS {
            assert!(unit.has_on_grid(unit.example()), "{unit:?}");
        }
        for (unit, on, off) in [
            (TimeUnit::Minute, "2026-01-31T13:45:00.000+01:00", "2026-01-31T13:45:00.001Z"),
            (TimeUnit::Hour, "2026-01-31T13:30:00+05:30", "2026-01-31T13:00:00+05:30"),
            (TimeUnit::Day, "2026-01-31T02:00:00+02:00", "2026-01-31T00:00:00+02:00"),
        ] {
            assert!(unit.has_on_grid(on), "{on}");
            assert!(!unit.has_on_grid(off), "{off}");
        }
        for text in ["", "2026-01-31", "2026-01-31T00:00:00", "x"] {
            assert!(!TimeUnit::Day.has_on_grid(text), "{text}");
        }
    }

    fn time() -> impl Strategy<Value = DateTime> {
        (0..200_000_000_i64).prop_map(|second| {
            TimeZone::UTC.to_datetime(Timestamp::from_second(1_600_000_000 + second).unwrap())
        })
    }

    proptest! {
        #[test]
        fn comparing_with_the_grid_tells_what_the_truncated_time_tells(exact in time(), other in time(), unit in 0..3_usize) {
            let unit = UNITS[unit];
            let truncated = unit.truncate(exact).unwrap();
            // Near the exact time, where the difference would show.
            for literal in [unit.truncate(other).unwrap(), truncated] {
                prop_assert_eq!(exact >= literal, truncated >= literal);
                prop_assert_eq!(exact < literal, truncated < literal);
            }
        }
    }
}
