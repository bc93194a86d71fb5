//! Sockets, TLS, limits, timeouts, drain; the admin listener.
//!
//! | file | what it has |
//! |---|---|
//! | [`listener`] | the accept loop of both listeners |
//! | [`connection`] | one connection: handshake, HTTP/1 or HTTP/2, and how it ends |
//! | [`handler`] | what serves the requests of a listener |
//! | [`client_identity`] | the names in a client certificate |
//! | [`activity`] | whether a connection is idle, busy, or stalled by the peer |
//! | [`stall`] | a stream whose writes must make progress |
//! | [`limits`] | every bound, with its reason |
//! | [`shutdown`] | the request to stop |
//! | [`tls`] | the TLS configuration, reloaded while running |
//! | [`admin`] | health, readiness, metrics |

mod activity;
pub mod admin;
mod client_identity;
mod connection;
mod handler;
pub mod limits;
pub mod listener;
pub mod shutdown;
pub mod stall;
pub mod tls;

pub use client_identity::ClientIdentity;
pub use connection::Peer;
pub use handler::Handler;
pub use limits::ServerLimits;
pub use listener::serve;
pub use shutdown::{Shutdown, ShutdownTrigger};
pub(crate) use tls::read_certificates;
pub use tls::{PemFault, TlsError, TlsState};
