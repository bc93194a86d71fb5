//! `glassine review`: what a reviewer reads before signing.
//!
//! The core makes the [`Review`]. The files here write it down, each in one format, and add nothing.

pub(super) mod description;
mod html;
mod markdown;
mod shown;
mod text;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::error::Error;
use super::{ExitStatus, Streams, input};
use crate::config::Consumer;
use crate::service::{StartError, read_config};
use glassine_core::diagnostic::Report;
use glassine_core::graph::{BaseUrl, Version};
use glassine_core::rules::{Compiled, Plan};
use glassine_core::statement::review::{Deployment, Review};

/// Show what leaves under rules files, property by property, with everything that a reviewer must look at.
///
/// With `--config`, it also shows who gets the data. Reads no keys and no secrets. Exit code 1 if a file has errors, 2 if
/// a file cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rules files.
    #[arg(value_name = "FILE", required_unless_present = "config")]
    files: Vec<PathBuf>,
    /// A configuration, with the rules of its consumers, in place of rules files.
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    config: Option<PathBuf>,
    /// The format of the review.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where the proxy is. With `openapi`, the description names it.
    #[arg(long, value_name = "URL", value_parser = BaseUrl::parse)]
    public_url: Option<BaseUrl>,
    /// With `csdl`: which API version the description is of, `v1.0` or `beta`.
    #[arg(long, value_name = "VERSION", default_value = "v1.0", value_parser = description::version)]
    api_version: Version,
}

/// The formats of a review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For a pull request or a wiki.
    Markdown,
    /// One page for a browser or a printer.
    Html,
    /// For scripts.
    Json,
    /// OpenAPI 3.1: what the proxy serves as `/openapi.json`.
    Openapi,
    /// OData CSDL: what the proxy serves as `/v1.0/$metadata`.
    Csdl,
}

/// The whole output, for scripts.
#[derive(Serialize)]
struct Reviews<'a> {
    reviews: &'a [Review],
}

/// The reviews, or what is wrong with the files.
type Outcome = Result<Vec<Review>, Vec<Report>>;

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    match args.format {
        Format::Text => print(args, streams, |all| text::render(all, wants_colour())),
        Format::Markdown => print(args, streams, markdown::render),
        Format::Html => print(args, streams, html::render),
        Format::Json => print(args, streams, json),
        Format::Openapi | Format::Csdl => description::run(args, streams),
    }
}

fn print(
    args: &Args,
    streams: &mut Streams<'_>,
    render: impl FnOnce(&[Review]) -> String,
) -> Result<ExitStatus, Error> {
    let reviews = match &args.config {
        Some(file) => of_config(file)?,
        None => of_files(&args.files)?,
    };
    match reviews {
        Ok(reviews) => {
            streams.print(render(&reviews).as_bytes())?;
            Ok(ExitStatus::Yes)
        }
        Err(reports) => {
            streams.remark(&reports.iter().map(Report::render).collect::<String>())?;
            Ok(ExitStatus::No)
        }
    }
}

/// The reviews as JSON. Text and lists can always be written.
fn json(reviews: &[Review]) -> String {
    let text = serde_json::to_string_pretty(&Reviews { reviews }).unwrap_or_default();
    text + "\n"
}

/// Whether people see the output, and do not ask for plain text (<https://no-color.org>).
fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn of_files(files: &[PathBuf]) -> Result<Outcome, Error> {
    let compiled = input::compile_all(files)?;
    Ok(all(compiled.iter().map(|compiled| review(compiled, None))))
}

/// Consumers with the same rules share a review.
fn of_config(file: &Path) -> Result<Outcome, Error> {
    let (name, _, config) = match read_config(file) {
        Err(StartError::Reports(reports)) => return Ok(Err(reports)),
        read => read?,
    };
    let mut groups: Vec<(&Path, Vec<&Consumer>)> = Vec::new();
    for consumer in config.consumers() {
        let rules = consumer.rules().path();
        match groups.iter_mut().find(|(own, _)| *own == rules) {
            Some((_, consumers)) => consumers.push(consumer),
            None => groups.push((rules, vec![consumer])),
        }
    }
    let files: Vec<_> = groups.iter().map(|(file, _)| file.to_path_buf()).collect();
    let compiled = input::compile_all(&files)?;
    let reviews = compiled
        .iter()
        .zip(groups)
        .map(|(compiled, (_, consumers))| review(compiled, Some(&config.deployment(&name, consumers))));
    Ok(all(reviews))
}

/// The review; the report if the file has errors.
fn review(compiled: &Compiled, deployment: Option<&Deployment<'_>>) -> Result<Review, Report> {
    let plan: &Plan = compiled.plan.as_ref().ok_or_else(|| compiled.report.clone())?;
    Ok(Review::of(plan, &compiled.report, deployment))
}

/// All reviews, or all reports.
fn all(reviews: impl Iterator<Item = Result<Review, Report>>) -> Outcome {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for review in reviews {
        match review {
            Ok(review) => good.push(review),
            Err(report) => bad.push(report),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}
