//! Sockets, TLS, limits, timeouts, drain; the admin listener.
//!
//! | file | what it has |
//! |---|---|
//! | [`listener`] | the accept loop of both listeners |
//! | [`door`] | who may connect |
//! | [`roster`] | the open connections, and which of them makes room for a newcomer |
//! | [`connection`] | one connection: handshake, HTTP/1 or HTTP/2 |
//! | [`drive`] | how a connection is driven to its end |
//! | [`handler`] | what serves the requests of a listener |
//! | [`client_identity`] | the names in a client certificate |
//! | [`activity`] | whether a connection is idle, busy, or stalled by the peer |
//! | [`stall`] | a stream whose writes must make progress |
//! | [`limits`] | every bound, with its reason |
//! | [`shutdown`] | the request to stop, in two steps |
//! | [`tls`] | the TLS configuration, reloaded while running |
//! | `certificate` | for when and for whom a certificate is |
//! | `headers` | request headers that both listeners read |
//! | [`admin`] | health, readiness, metrics |
//! | [`readiness`] | whether requests can be served, check by check |

mod activity;
pub mod admin;
pub(crate) mod certificate;
mod client_identity;
mod connection;
pub mod door;
mod drive;
mod handler;
mod headers;
pub mod limits;
pub mod listener;
pub mod readiness;
mod roster;
pub mod shutdown;
pub mod stall;
pub mod tls;

pub use client_identity::ClientIdentity;
pub use connection::Peer;
pub use door::{Door, DoorRules};
pub use handler::{Handler, Identified};
pub(crate) use headers::{bearer, single};
pub use limits::ServerLimits;
pub use listener::serve;
pub use readiness::{Check, Phase, Readiness, Verdict};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub(crate) use tls::read_certificates;
pub use tls::{PemFault, TlsError, TlsState};
