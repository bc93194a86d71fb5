//! The integration tests, by purpose. One binary: one link step, one support module.

mod audit;
mod batch;
mod cli;
mod config;
mod pseudonym;
mod server;
mod support;
mod tenant;
mod tokenizer;
mod upstream;
mod walk;
