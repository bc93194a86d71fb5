//! The integration tests, by purpose. One binary: one link step, one support module.

mod cli;
mod pseudonym;
mod tokenizer;
