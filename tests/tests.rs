//! The integration tests, by purpose. One binary: one link step, one support module.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails the test"
)]

mod audit;
mod config;
mod consumers;
mod faults;
mod framing;
mod links;
mod pseudonym;
mod server;
mod service;
mod spellings;
mod statuses;
mod streams;
mod support;
mod tenant;
mod tls;
mod tokenizer;
mod upstream;
mod walk;
