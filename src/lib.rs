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
//! [`proxy`] reads like that line. Bytes from upstream are [`sanitize::Raw`], only the sanitizer makes
//! [`sanitize::Clean`], and answers are made of nothing else.
//!
//! # Where to find what
//!
//! | module | what | pure |
//! |---|---|---|
//! | [`rules`] | the language: YAML as written → checked → compiled; diagnostics | yes |
//! | [`graph`] | what a Graph request is: targets, options, links, batches, errors | yes |
//! | [`admit`] | may this request pass? | yes |
//! | [`sanitize`] | decides what leaves: tokenizer, matcher, transforms | yes |
//! | [`pseudonym`] | canonical forms, keyed tokens, reversible tokens, keys | yes |
//! | [`grants`] | the permissions that were granted, against those that the rules need | yes |
//! | [`upstream`] | Graph and Entra clients | |
//! | [`jwt`] | verification of tokens that others signed | |
//! | `jws` | what is signed, as text | |
//! | `hex` | hexadecimal digits | yes |
//! | [`codec`] | bounded gzip, both ways | |
//! | [`proxy`] | the sentence | |
//! | [`connect`] | the pages on which a data source is connected | |
//! | [`audit`] | one record per request, chained | |
//! | [`server`] | sockets, TLS, limits, drain, health, metrics | |
//! | [`service`] | a running proxy: build, reload, drain | |
//! | `web` | markup, forms and queries | |
//! | [`config`] | the configuration: as written → as checked | |
//! | [`demo`] | the embedded sample tenant | |
//! | `doctor` | is a set-up right, and if not, what to do | |
//! | [`cli`] | one file per command | |
//!
//! "Pure" modules take bytes, plans, keys and limits as arguments and do no input or output; a test scans their imports.
//! Who has read `sanitize`, `pseudonym`, `rules` and `admit` has read everything that decides what leaves.
//!
//! To add a transform, start at `rules::plan::Transform`; an endpoint is a few lines in `rules/*.yaml`; a credential
//! for Graph is a variant of [`upstream::Credential`], one for consumers a variant of
//! [`config::ConsumerCredential`] and of the proxy's `KnownBy`.

pub mod admit;
pub mod audit;
pub mod cli;
pub mod codec;
pub mod config;
pub mod connect;
pub mod demo;
mod doctor;
pub mod grants;
pub mod graph;
mod hex;
mod jws;
pub mod jwt;
pub mod proxy;
pub mod pseudonym;
pub mod rules;
pub mod sanitize;
pub mod server;
pub mod service;
pub mod upstream;
mod web;
