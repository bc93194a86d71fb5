//! The audit log: one typed record per request and per event of the service, hash-chained, in a file or on standard
//! output.
//!
//! | file | what it has |
//! |---|---|
//! | [`record`] | what the record of a request contains; its types exclude personal data |
//! | [`event`] | what the record of a start, a reload or a stop contains |
//! | [`unidentified`] | requests of strangers: which get a record, and which are counted |
//! | [`guard`] | exactly one record per request, however it ends |
//! | [`log`] | the log as requests see it: its room, its bounds, and what it says of itself |
//! | `queue` | the queue of records, and who wakes the writer for them |
//! | `writer` | the thread that writes: groups, acknowledgements, and what happens after a failure |
//! | `output` | one group of lines in the file or stream, whole or not at all |
//! | `file` | the file: locked, continued after a crash, followed when it is moved |
//! | [`rotation`] | files that are full |
//! | [`chain`] | how lines are linked |
//! | [`mac`] | how lines are sealed with a key |
//! | [`verify`](mod@verify) | how a log is verified |
//! | [`report`] | which rules served whom from when until when, read from the records |

pub mod chain;
pub mod event;
mod file;
pub mod guard;
pub mod log;
pub mod mac;
mod output;
mod queue;
pub mod record;
pub mod report;
pub mod rotation;
pub mod unidentified;
pub mod verify;
mod writer;

pub use event::{Event, Finding, Key, Served, Serving};
pub use file::OpenError;
pub use guard::Guard;
pub use log::{AuditLog, AuditState, Bounds, Clock, Failing, Options, SyncMode, Unavailable, WriteError};
pub use mac::MacKey;
pub(crate) use record::UNLISTED;
pub use record::{Counters, Decision, Outcome, Record};
pub use report::Report;
pub use rotation::Rotate;
pub use verify::{BrokenAt, Missing, Summary, Verifier, Why, verify};
