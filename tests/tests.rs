//! The integration tests, by purpose. One binary: one link step, one support module.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails the test"
)]

mod audit;
mod batch;
mod cli;
mod config;
mod consumers;
mod diagnostics;
mod faults;
mod framing;
mod golden;
mod jsonpath_suite;
mod links;
mod pseudonym;
mod readme;
mod rules_page;
mod semantics;
mod server;
mod service;
mod spellings;
mod streams;
mod support;
mod tenant;
mod tokenizer;
mod two_engines;
mod upstream;
mod walk;
