//! `glassine statement`: the text that reviewers sign.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::Error;
use super::{ExitStatus, Streams, input};
use crate::approvals::text_to_sign;
use crate::config::{Approvals, Config, Consumer};
use crate::service::read_config;
use glassine_core::statement::Statement;

/// Print what leaves, as one canonical text: what reviewers read and sign. Standard output gets its exact bytes.
///
/// `--rules` prints what the rules say of any consumer. Reviewers sign what `--config` and `--consumer` print, which has the
/// consumer's settings too. If approvals expire, its last line is the day.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rules file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "consumer", "day"], required_unless_present = "config")]
    rules: Option<PathBuf>,
    /// A configuration.
    #[arg(long, value_name = "FILE", requires = "consumer")]
    config: Option<PathBuf>,
    /// The consumer.
    #[arg(long, value_name = "NAME", requires = "config")]
    consumer: Option<String>,
    /// The day in the last line, as in 2027-01-31. The default is today, in UTC.
    #[arg(long, value_name = "DATE", requires = "config")]
    day: Option<Date>,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoStatement {
    /// The configuration has no such consumer.
    #[error("{}: there is no consumer `{name}`; there are: {}", file.display(), known.join(", "))]
    Consumer {
        /// The configuration.
        file: PathBuf,
        /// The name.
        name: String,
        /// The consumers that there are.
        known: Vec<String>,
    },
    /// The text has no day.
    #[error(
        "the text has no day: without `expire_days` in the section `approvals`, approvals do not expire; leave `--day` out"
    )]
    Day,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let text = match (&args.rules, &args.config) {
        (Some(rules), _) => Statement::of_rules(&input::rules(rules)?).text().to_owned(),
        (None, config) => of_consumer(config.as_deref().unwrap_or(Path::new("")), args)?,
    };
    streams.print(text.as_bytes())?;
    Ok(ExitStatus::Yes)
}

fn of_consumer(file: &Path, args: &Args) -> Result<String, Error> {
    let (_, _, config) = read_config(file)?;
    let consumer = find(&config, file, args.consumer.as_deref().unwrap_or_default())?;
    let plan = input::rules(consumer.rules().path())?;
    let statement = Statement::of_consumer(&config.setting(consumer), &plan);
    Ok(text_to_sign(&statement, day(config.approvals(), args.day)?))
}

fn find<'c>(config: &'c Config, file: &Path, name: &str) -> Result<&'c Consumer, NoStatement> {
    let known = config.consumers().iter();
    known.clone().find(|consumer| consumer.name() == name).ok_or_else(|| NoStatement::Consumer {
        file: file.to_owned(),
        name: name.to_owned(),
        known: known.map(|consumer| consumer.name().to_owned()).collect(),
    })
}

/// The day that is part of the text, if approvals expire.
fn day(approvals: Option<&Approvals>, asked: Option<Date>) -> Result<Option<Date>, NoStatement> {
    let expire = approvals.is_some_and(|approvals| approvals.policy().expire_days.is_some());
    let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
    match (expire, asked) {
        (true, asked) => Ok(Some(asked.unwrap_or_else(today))),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(NoStatement::Day),
    }
}
