//! The integration tests, by purpose. One binary: one link step, one support module.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected is to fail; Clippy's own exception ends at the test functions"
)]

mod support;
mod upstream;
