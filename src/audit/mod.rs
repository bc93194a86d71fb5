//! The audit log: one typed record per request and per event of the service, hash-chained, in a file or on standard
//! output.
//!
//! | file | what it has |
//! |---|---|
//! | [`record`] | what the record of a request contains; its types exclude personal data |
//! | [`event`] | what the record of a start, a reload or a stop contains |
//! | [`chain`] | how lines are linked, and how a log is verified |
//! | [`log`] | where lines go, and how a log continues after a crash |
//! | [`guard`] | exactly one record per request, however it ends |
//! | [`report`] | which rules served whom from when until when, read from the records |

pub mod chain;
pub mod event;
pub mod guard;
pub mod log;
pub mod record;
pub mod report;

pub use chain::{BrokenAt, Summary, Verifier, Why, verify};
pub use event::{Event, Finding, Key, Served, Serving};
pub use guard::Guard;
pub use log::{AuditLog, OpenError, WriteError};
pub use record::{Counters, Decision, Outcome, Record};
pub use report::Report;
