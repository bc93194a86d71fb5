//! The parts that the benchmarks share: pages, one consumer's rules and keys, and the duration of a measurement.

#![allow(dead_code, reason = "each benchmark uses some of it")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

pub(crate) mod connector;
#[path = "../pages/mailbox.rs"]
mod mailbox;
pub(crate) mod pages;
pub(crate) mod silent;

use std::time::Duration;

use criterion::Criterion;

/// Long enough for a stable median, and short enough to run before every change.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args()
}
