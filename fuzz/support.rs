//! The helpers that the properties share with the repository's tests.

#![allow(dead_code, reason = "the tests use more of it")]

#[path = "../tests/support/closed.rs"]
pub(crate) mod closed;
#[path = "../tests/support/reading.rs"]
pub(crate) mod reading;
#[path = "../tests/support/recorder.rs"]
pub(crate) mod recorder;
#[path = "../tests/support/reference.rs"]
pub(crate) mod reference;
#[path = "../tests/support/sanitizing.rs"]
pub(crate) mod sanitizing;
#[path = "../tests/support/surrogates.rs"]
pub(crate) mod surrogates;
