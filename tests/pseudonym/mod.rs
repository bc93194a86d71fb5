//! Pseudonyms from outside: published vectors of the primitives, the published contract, properties, and the
//! ids of real messages.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod contract;
mod properties;
mod real_ids;
mod wycheproof;
