//! What decides what leaves. Bytes, plans, keys, limits and times come in as arguments; nothing here does input or output.
//!
//! The compiler keeps that: no package that this one is built from has sockets, files or a runtime, and `clippy.toml` forbids
//! what the standard library could do. Whoever has read this package has read everything that decides what leaves a tenant.
//!
//! # The way of a document
//!
//! ```text
//!  rules file ──▶ yaml ──▶ rules ──▶ Plan ─────────────┬──────────────────────┐
//!                 (text,   (written → checked →        │                      │
//!                  places)  compiled)                  ▼                      ▼
//!  request ─────▶ graph ──────────────────────────▶ admit ──▶ Admitted ──▶ sanitize ──▶ Clean
//!                 (target, options, links, batches)    ▲                    ▲     ▲
//!                                                      └──── pseudonym ─────┘     └── Raw, from Graph
//!                                                            (keys, tokens)
//! ```
//!
//! # Reading order
//!
//! The last column counts lines without unit tests in files of their own; a test keeps it true.
//!
//! | | module | what it guarantees | lines |
//! |---|---|---|---:|
//! | 1 | [`sanitize`] | Only what the plan names becomes [`sanitize::Clean`]. Every byte is checked against RFC 8259, including those that are dropped. Where chunks begin and end changes nothing. | 3,450 |
//! | 2 | [`pseudonym`] | One canonical value has one token per consumer, class and key. `t~` tokens cannot be opened. `p~` tokens open only for the consumer and class that they were made for. Sealed ids and links have one of a few lengths. | 3,350 |
//! | 3 | [`rules`] | A file means what it says: unknown keys, conflicts and observable properties are errors. The order of lines changes nothing. The compiled plan describes itself. | 5,700 |
//! | 4 | [`admit`] | A request passes only through an endpoint and options that the rules open. The upstream request is written anew, never forwarded. | 1,480 |
//! | 5 | [`graph`] | Each spelling of a request has one canonical form, or is refused. | 4,000 |
//! | 6 | [`statement`] | One text says all that a consumer may ask and all that leaves: plans that differ in it have different texts. What a change of the rules widens is found, and shown. A review has a row for each property that leaves. | 2,650 |
//! | 7 | [`interface`] | What a consumer may ask and gets, for programs: OpenAPI and CSDL. Neither names a property that cannot leave. | 2,600 |
//! | 8 | [`grants`] | Which permissions are missing or more than needed. | 200 |
//! | 9 | [`catalogue`] | What is known of Graph: types, paths, permissions. Data, with sources and dates; a request reads the list of error codes and their meanings only. | 1,330 |
//! | 10 | [`yaml`] | Strict YAML with places. All mistakes are found in one pass. A file that people sign reads as it looks. | 1,500 |
//! | 11 | [`diagnostic`] | What an author reads: code, message, place, hint. | 300 |
//! | 12 | [`hex`] | Hexadecimal digits. | 60 |
//!
//! To add a transform, an endpoint or a query option, see `docs/ARCHITECTURE.md`.

pub mod admit;
pub mod catalogue;
pub mod diagnostic;
pub mod grants;
pub mod graph;
pub mod hex;
pub mod interface;
pub mod pseudonym;
pub mod rules;
pub mod sanitize;
pub mod statement;
pub mod yaml;
