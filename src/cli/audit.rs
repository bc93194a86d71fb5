//! `glassine audit`: audit logs.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use super::error::Error;
use super::{ExitStatus, Streams};
use crate::audit::{Why, verify};

/// Audit logs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no line of a log was changed, added or removed.
    Verify {
        /// An audit log.
        file: PathBuf,
    },
}

pub(super) fn run(
    Command::Verify { file }: &Command,
    streams: &mut Streams<'_>,
) -> Result<ExitStatus, Error> {
    let unreadable = |error| Error::Audit { file: file.clone(), error };
    let log = File::open(file).map_err(unreadable)?;
    let name = file.display();
    match verify(BufReader::new(log)) {
        Ok(summary) => {
            let head = summary.head.as_deref().unwrap_or("-");
            let torn =
                if summary.torn == 0 { String::new() } else { format!(", {} cut by a crash", summary.torn) };
            streams
                .print(format!("{name}: {} lines{torn}, whole; head {head}\n", summary.lines).as_bytes())?;
            Ok(ExitStatus::Yes)
        }
        Err(broken) => match broken.why {
            Why::Read(error) => Err(unreadable(error)),
            _ => {
                streams.remark(&format!("{name}: {broken}\n"))?;
                Ok(ExitStatus::No)
            }
        },
    }
}
