//! Decides what leaves.

pub mod tokenizer;
