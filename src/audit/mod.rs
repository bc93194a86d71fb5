//! The audit log: one typed record per request, hash-chained, in a file or on standard output.
//!
//! | file | what it has |
//! |---|---|
//! | [`record`] | what a record contains; its types exclude personal data |
//! | [`chain`] | how lines are linked, and how a log is verified |
//! | [`log`] | where lines go, and how a log continues after a crash |
//! | [`guard`] | exactly one record per request, however it ends |

pub mod chain;
pub mod guard;
pub mod log;
pub mod record;

pub use chain::{BrokenAt, Summary, Why, verify};
pub use guard::Guard;
pub use log::{AuditLog, OpenError, WriteError};
pub use record::{Counters, Decision, Outcome, Record};
