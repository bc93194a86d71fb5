//! Glassine: a reverse proxy that hands an analytics consumer sanitized Microsoft Graph metadata, and nothing else.
//!
//! # What it is
//!
//! A consumer points its Graph base URL at this proxy and uses Graph as usual. Endpoints are allow-listed, properties are
//! dropped unless a rule keeps them, bodies and attachments never pass, addresses become keyed pseudonyms, all by one
//! YAML file that a security reviewer reads and signs. In rank order it is leak-proof, correct, explainable, fast and
//! convenient.
//!
//! # What it is not
//!
//! Not a general gateway: it reads, by GET, HEAD and `$batch`. It keeps no copy of mail and no list of who is who: a
//! token is computed each time, and nothing turns one back into a person. It does not defend against a hostile
//! administrator of its own host, or against traffic analysis by size and timing.
//!
//! # The way of a request
//!
//! ```text
//!  consumer ──▶ listen ─▶ identify ─▶ admit ─▶ authorize ─▶ fetch ─▶ sanitize ─▶ respond ──▶ consumer
//!               (TLS)     (who)       (may?)   (Graph       (Graph)  (streaming)    │
//!                                              token)                               └─▶ audit (exactly once)
//! ```
//!
//! [`proxy`] reads like that line. Bytes from upstream are [`Raw`](glassine_core::sanitize::Raw), only the sanitizer makes
//! [`Clean`](glassine_core::sanitize::Clean), and responses are made of nothing else.
//!
//! # Where to find what
//!
//! The package [`glassine_core`] decides what leaves and does no input or output: rules, requests, the sanitizer, pseudonyms.
//! This package does everything else. `docs/ARCHITECTURE.md` has the picture, and what to touch to add something.
//!
//! | module | what |
//! |---|---|
//! | [`upstream`] | Graph and Entra clients |
//! | [`jwt`] | verification of tokens that others signed |
//! | `jws` | what is signed, as text |
//! | [`codec`] | bounded gzip, both ways |
//! | [`proxy`] | the sentence |
//! | [`connect`] | the pages on which a data source is connected |
//! | [`audit`] | one record per request, chained |
//! | [`metrics`] | what is counted |
//! | [`server`] | sockets, TLS, limits, drain; the admin listener |
//! | [`service`] | a running proxy: build, reload, drain |
//! | `rate_limiter` | how often something may happen |
//! | `web` | pages, forms and queries |
//! | [`config`] | the configuration: as written → as checked |
//! | [`demo`] | the embedded sample tenant |
//! | `doctor` | is a set-up right, and if not, what to do |
//! | [`cli`] | one file per command |

pub mod audit;
pub mod cli;
pub mod codec;
pub mod config;
pub mod connect;
pub mod demo;
mod doctor;
mod jws;
pub mod jwt;
pub mod metrics;
pub mod proxy;
mod rate_limiter;
pub mod server;
pub mod service;
pub mod upstream;
mod web;
