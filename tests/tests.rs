//! The integration tests, by purpose. One binary: one link step, one support module.

mod pseudonym;
mod support;
mod tenant;
mod tokenizer;
mod upstream;
