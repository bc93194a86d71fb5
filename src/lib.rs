//! Glassine: a reverse proxy that hands an analytics consumer sanitized Microsoft Graph metadata, and nothing else.
//!
//! # What it is
//!
//! A consumer points its Graph base URL at this proxy and uses Graph as usual. Only listed endpoints can be called, and
//! properties are dropped unless a rule keeps them. Bodies and attachments never pass. Addresses become keyed
//! pseudonyms. One YAML file has all these rules; a security reviewer reads and signs it. The goals, in rank order:
//! nothing leaks, and the proxy is correct, explainable, fast and convenient.
//!
//! # What it is not
//!
//! It is not a general gateway: it only reads, by GET, HEAD and `$batch`. It stores no mail, and no table of
//! pseudonyms: it computes each pseudonym anew. It does not defend against a hostile administrator of its host, or
//! against traffic analysis by size and timing.
//!
//! # The way of a request
//!
//! ```text
//!  consumer ──▶ listen ─▶ identify ─▶ admit ─▶ authorize ─▶ fetch ─▶ sanitize ─▶ respond ──▶ consumer
//!               (TLS)     (who)       (may?)   (Graph       (Graph)  (streaming)    │
//!                                              token)                               └─▶ audit (exactly once)
//! ```
//!
//! The code of [`proxy`] follows this picture. Bytes from Graph are [`Raw`](glassine_core::sanitize::Raw). Only the
//! sanitizer makes [`Clean`](glassine_core::sanitize::Clean) bytes, and a response can only be made of those.
//!
//! # Where to find what
//!
//! The package [`glassine_core`] decides what leaves (rules, requests, the sanitizer, pseudonyms) and does no I/O. This
//! package does everything else. `docs/ARCHITECTURE.md` shows how the parts fit, and which files to change for an
//! addition.
//!
//! | module | what |
//! |---|---|
//! | [`upstream`] | Graph and Entra clients |
//! | [`jwt`] | verifies signed tokens of other issuers |
//! | `jws` | serializes a signed token |
//! | [`codec`] | bounded gzip, both ways |
//! | [`proxy`] | a request's way from consumer to Graph and back |
//! | [`connect`] | the pages on which an administrator connects a data source |
//! | [`approvals`] | whether what leaves has been signed |
//! | [`audit`] | one record per request and per event of the service, chained |
//! | [`metrics`] | counters for Prometheus |
//! | [`server`] | sockets, TLS, limits, drain; the admin listener |
//! | [`service`] | a running proxy: build, reload, drain |
//! | `trace` | `traceparent`, and spans for a collector |
//! | `aadsts` | what Entra's error numbers mean |
//! | `file_system` | what the system says of files |
//! | `rate_limiter` | limits how often something may happen |
//! | `web` | HTML pages, forms and queries |
//! | [`config`] | the configuration: read, then checked |
//! | [`demo`] | the embedded sample tenant |
//! | `doctor` | checks a set-up and explains how to fix problems |
//! | [`cli`] | one file per command |

mod aadsts;
pub mod approvals;
pub mod audit;
pub mod cli;
pub mod codec;
pub mod config;
pub mod connect;
pub mod demo;
mod doctor;
mod file_system;
mod jws;
pub mod jwt;
pub mod metrics;
pub mod proxy;
mod rate_limiter;
pub mod server;
pub mod service;
mod trace;
pub mod upstream;
mod web;
