//! Of `benches/support`, what makes pages and sanitizes them.

#![allow(dead_code, reason = "other benchmarks use the rest")]

#[path = "../support/connector.rs"]
pub(crate) mod connector;
#[path = "../pages/mailbox.rs"]
mod mailbox;
#[path = "../support/pages.rs"]
pub(crate) mod pages;
