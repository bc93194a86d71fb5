//! `glassine audit`: audit logs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use serde::Serialize;

use super::error::Error;
use super::options::Format;
use super::{ExitStatus, Streams, input};
use crate::audit::report::{Period, Report};
use crate::audit::{BrokenAt, MacKey, Summary, Verifier, Why};

/// Audit logs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no line of a log was changed, added or removed.
    Verify {
        #[command(flatten)]
        log: Log,
    },
    /// Print which rules served which consumer, from when until when, and how many requests.
    ///
    /// Verifies the log first, and prints nothing if the verification fails.
    Report {
        #[command(flatten)]
        log: Log,
        /// The format of the report.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// A log, and what it is checked with.
#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// An audit log. Of a log in several files: all of them, the oldest first.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A key file: checks each line's MAC, too. Give several for a log that is older than the oldest key of the first.
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// The head that an earlier verification printed: the log has to contain that line.
    #[arg(long, value_name = "HEAD")]
    from: Option<String>,
}

pub(super) fn run(command: &Command, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let (Command::Verify { log } | Command::Report { log, .. }) = command;
    let mut report = Report::default();
    let Some(read) = read(log, &mut report, streams)? else { return Ok(ExitStatus::No) };
    match command {
        Command::Verify { .. } => {
            streams
                .print(format!("{}{}{}", verified(&read), sealed(log, &read), killed(&report)).as_bytes())?;
        }
        Command::Report { format: Format::Text, .. } => {
            streams.print(format!("{}{}", verified(&read), text(&report)).as_bytes())?;
        }
        Command::Report { format: Format::Json, .. } => {
            streams.print_json(&Document { files: &read, report: &report })?;
        }
    }
    Ok(ExitStatus::Yes)
}

/// A file of a log whose chain holds.
#[derive(Serialize)]
struct Verified {
    file: String,
    #[serde(flatten)]
    summary: Summary,
}

/// The report for scripts.
#[derive(Serialize)]
struct Document<'a> {
    files: &'a [Verified],
    #[serde(flatten)]
    report: &'a Report,
}

/// Reads a log, and adds its records to the report. `None` if its chain does not hold: standard error has the place.
fn read(log: &Log, report: &mut Report, streams: &mut Streams<'_>) -> Result<Option<Vec<Verified>>, Error> {
    let (mut verifier, mut read) = (verifier(log)?, Vec::new());
    for path in &log.files {
        let unreadable = |error| Error::Audit { file: path.clone(), error };
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        match verifier.read(file, |line| report.add(line)) {
            Ok(summary) => read.push(Verified { file: path.display().to_string(), summary }),
            Err(BrokenAt { why: Why::Read(error), .. }) => return Err(unreadable(error)),
            Err(broken) => {
                streams.remark(&format!("{}: {broken}\n", path.display()))?;
                return Ok(None);
            }
        }
    }
    match verifier.complete() {
        Ok(()) => Ok(Some(read)),
        Err(missing) => {
            streams.remark(&format!("{missing}\n"))?;
            Ok(None)
        }
    }
}

fn verifier(log: &Log) -> Result<Verifier, Error> {
    let mut verifier = Verifier::default();
    if let Some(head) = &log.from {
        verifier = verifier.from_head(head.to_ascii_lowercase());
    }
    if log.keys.is_empty() {
        return Ok(verifier);
    }
    let mut keys = Vec::new();
    for file in &log.keys {
        keys.extend(
            input::keys(file)?.audit_keys().iter().filter_map(|(id, secret)| MacKey::new(*id, secret)),
        );
    }
    Ok(verifier.with_keys(keys))
}

fn verified(read: &[Verified]) -> String {
    let line = |(at, Verified { file, summary }): (usize, &Verified)| {
        let Summary { lines, chains, torn, continues, head, .. } = summary;
        let torn = if *torn == 0 { String::new() } else { format!(", {torn} cut by a crash") };
        // The first chain begins in the first file; each other one follows a start of its own.
        let others = chains.saturating_sub(u64::from(at == 0 && continues.is_none()));
        let others = if others == 0 { String::new() } else { format!(", new chains {others}") };
        let continues = continues.map(|seq| format!(", after {seq} lines of files that were not given"));
        let continues = continues.unwrap_or_default();
        let head = head.as_deref().unwrap_or("-");
        format!("{file}: {lines} lines{continues}{torn}{others}, whole; head {head}\n")
    };
    read.iter().enumerate().map(line).collect()
}

/// What is known of the keyed chain; nothing if the log has none.
fn sealed(log: &Log, read: &[Verified]) -> String {
    let sum = |of: fn(&Summary) -> u64| read.iter().map(|verified| of(&verified.summary)).sum::<u64>();
    let (macs, lines) = (sum(|it| it.macs), sum(|it| it.lines));
    match (macs, log.keys.is_empty()) {
        (0, _) => String::new(),
        (_, true) => "the lines' MACs were not checked: name the key file with --keys\n".to_owned(),
        (_, false) if macs == lines => "each line's MAC is good\n".to_owned(),
        (_, false) => format!("{macs} MACs are good; the {} lines before have none\n", lines - macs),
    }
}

/// Responses whose end is not recorded; nothing if there are none.
fn killed(report: &Report) -> String {
    match (report.events.never_closed, report.still_open()) {
        (0, 0) => String::new(),
        (never, open) => format!("responses begun, never closed {never}, still open {open}\n"),
    }
}

/// One table for each consumer, then what belongs to none.
fn text(report: &Report) -> String {
    let mut by_consumer: BTreeMap<&str, Vec<&Period>> = BTreeMap::new();
    for period in &report.periods {
        by_consumer.entry(&period.consumer).or_default().push(period);
    }
    let tables: String = by_consumer.iter().map(|(consumer, periods)| table(consumer, periods)).collect();
    let Report { unidentified, events, .. } = report;
    let refused = match events.unrecorded {
        0 => String::new(),
        requests => format!("refused while the log could not be written {requests}\n"),
    };
    let killed = killed(report);
    format!(
        "{tables}\nno consumer identified: {} allowed, {} refused\n\
         starts {}, stops {}, reloads {}, failed reloads {}\n{refused}{killed}",
        unidentified.allowed,
        unidentified.refused,
        events.starts,
        events.stops,
        events.reloads,
        events.failed_reloads
    )
}

/// The width of a time, such as `2026-11-23T10:49:33.808Z`.
const TIME: usize = 24;
/// How many digits of a fingerprint people compare.
const DIGITS: usize = 32;

fn table(consumer: &str, periods: &[&Period]) -> String {
    let head = row("from", "until", "rules", ["allowed", "refused"].map(str::to_owned), "approved by");
    let rows = periods.iter().map(|period| {
        let rules: String = period.rules.as_deref().unwrap_or("not recorded").chars().take(DIGITS).collect();
        let counts = [period.requests.allowed, period.requests.refused].map(|count| count.to_string());
        let approved_by =
            if period.approved_by.is_empty() { "-".to_owned() } else { period.approved_by.join(", ") };
        row(&period.from, period.until.as_deref().unwrap_or("-"), &rules, counts, &approved_by)
    });
    format!("\n{consumer}\n{head}{}", rows.collect::<String>())
}

fn row(from: &str, until: &str, rules: &str, [allowed, refused]: [String; 2], approved_by: &str) -> String {
    format!("  {from:TIME$}  {until:TIME$}  {rules:DIGITS$}  {allowed:>9}  {refused:>9}  {approved_by}\n")
}
