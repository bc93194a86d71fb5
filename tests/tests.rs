//! The integration tests, by purpose. One binary: one link step, one support module.

mod audit;
mod batch;
mod cli;
mod config;
mod diagnostics;
mod golden;
mod jsonpath_suite;
mod pseudonym;
mod readme;
mod rules_page;
mod semantics;
mod server;
mod support;
mod tenant;
mod tokenizer;
mod two_engines;
mod upstream;
mod walk;
