//! The integration tests, by purpose. One binary: one link step, one support module.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in the functions that tests call"
)]

mod admission;
mod approvals;
mod architecture;
mod audit;
mod batch;
mod canaries;
mod cli;
mod client_certificates;
mod closed;
mod codec;
mod config;
mod connect;
mod consumer_requests;
mod consumers;
mod descriptions;
mod diagnostics;
mod directory;
mod doctor;
mod documents;
mod expansions;
mod faults;
mod follows;
mod forwarding;
mod framing;
mod fuzz;
mod golden;
mod graph_cases;
mod http2;
mod incidents;
mod interface;
mod jsonpath_suite;
mod jwt;
mod limits;
mod linking;
mod links;
mod logs;
mod mailboxes;
mod metrics;
mod oracle;
mod probes;
#[path = "../fuzz/properties/mod.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets are programs of their own and reach them")]
mod properties;
mod property_order;
mod pseudonym;
mod readiness;
mod record;
mod reliability;
mod replicas;
mod reviews;
mod samples;
mod semantics;
mod server;
mod service;
mod signed_tokens;
mod spellings;
mod statement;
mod statuses;
mod strangers;
mod streams;
mod support;
mod tenant;
mod throttling;
mod tls;
mod tokenizer;
mod traces;
mod two_engines;
mod upstream;
mod upstream_requests;
mod walk;
