//! The integration tests, by purpose. One binary: one link step, one support module.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails the test"
)]

#[allow(clippy::string_slice, reason = "the scanner cuts at places that it has found")]
mod architecture;
mod audit;
mod canaries;
mod config;
mod pseudonym;
mod samples;
mod server;
mod support;
mod tenant;
mod tokenizer;
mod upstream;
mod upstream_requests;
mod walk;
