//! `glassine check`: finds every mistake in rules files, or in a configuration and the files that it names.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::Error;
use super::options::Format;
use super::{ExitStatus, Streams, input};
use crate::approvals::Approval;
use crate::proxy::Consumer;
use crate::service::{self, StartError};
use glassine_core::diagnostic::Located;
use glassine_core::diagnostic::Report;
use glassine_core::rules::{Compiled, raw};
use glassine_core::statement::{Fingerprint, Statement};

/// Check rules files, or a configuration and every file that it names: all mistakes in one pass, with place and remedy.
/// Sends nothing over the network; `glassine doctor` does.
///
/// Exit code 1 if a file has errors, 2 if a file cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rules files.
    #[arg(value_name = "FILE", required_unless_present_any = ["schema", "config"])]
    files: Vec<PathBuf>,
    /// A configuration, with its rules, keys, secrets and certificates, in place of rules files.
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    config: Option<PathBuf>,
    /// Count warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
    /// The format of the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the JSON Schema of rules files instead, for editors.
    #[arg(long, conflicts_with_all = ["files", "config", "deny_warnings", "format"])]
    schema: bool,
}

/// The whole output, for scripts.
#[derive(Serialize)]
struct Files<'a> {
    files: Vec<Checked<'a>>,
    /// Of a configuration; absent if it has errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumers: Option<Vec<Served<'a>>>,
}

/// What serves a consumer.
#[derive(Serialize)]
struct Served<'a> {
    name: &'a str,
    connector: &'a str,
    fingerprint: Fingerprint,
    /// Absent if nothing has to be approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Approval>,
}

/// The findings in one file.
#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    ok: bool,
    /// Absent if the file has errors.
    fingerprint: Option<Fingerprint>,
    diagnostics: Vec<Located<'a>>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    if args.schema {
        streams.print(raw::json_schema().as_bytes())?;
        return Ok(ExitStatus::Yes);
    }
    if let Some(file) = &args.config {
        return check_config(file, args, streams);
    }
    let compiled = input::compile_all(&args.files)?;
    match args.format {
        Format::Text => write_text(&compiled, args, streams)?,
        Format::Json => streams.print_json(&describe(&compiled, args))?,
    }
    Ok(if compiled.iter().all(|compiled| is_ok(compiled, args)) { ExitStatus::Yes } else { ExitStatus::No })
}

/// An error in any file makes the whole configuration unusable.
fn check_config(file: &Path, args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let (state, reports) = match service::check(file) {
        Ok((state, warnings)) => (Some(state), warnings),
        Err(StartError::Reports(reports)) => (None, reports),
        Err(error) => return Err(error.into()),
    };
    let denied = args.deny_warnings && !reports.is_empty();
    let ok = state.is_some() && !denied;
    let consumers = state.as_ref().map(|state| state.consumers().map(|consumer| served(consumer)).collect());
    match args.format {
        Format::Text => {
            streams.remark(&reports.iter().map(Report::render).collect::<String>())?;
            if ok {
                let consumers: String = consumers.iter().flatten().map(Served::line).collect();
                streams.print(format!("{}: ok\n{consumers}", file.display()).as_bytes())?;
            }
        }
        Format::Json => streams.print_json(&Files {
            files: reports.iter().map(|report| Checked::reported(report, !report.has_errors())).collect(),
            consumers,
        })?,
    }
    Ok(if ok { ExitStatus::Yes } else { ExitStatus::No })
}

fn served(consumer: &Consumer) -> Served<'_> {
    Served {
        name: consumer.checked().name(),
        connector: &consumer.policy().plan.connector,
        fingerprint: *consumer.statement().fingerprint(),
        approval: consumer.approval(),
    }
}

impl Served<'_> {
    fn line(&self) -> String {
        let Self { name, connector, fingerprint, approval } = self;
        let approval = approval.map(|approval| format!(", {approval}")).unwrap_or_default();
        format!("consumer {name}: connector {connector}, fingerprint {fingerprint}{approval}\n")
    }
}

fn is_ok(compiled: &Compiled, args: &Args) -> bool {
    let denied = args.deny_warnings && !compiled.report.diagnostics.is_empty();
    compiled.plan.is_some() && !denied
}

/// Findings go to standard error; standard output gets one line for each file without errors.
fn write_text(compiled: &[Compiled], args: &Args, streams: &mut Streams<'_>) -> Result<(), Error> {
    let mut summary = String::new();
    for one in compiled {
        streams.remark(&one.report.render())?;
        match &one.plan {
            Some(plan) if is_ok(one, args) => summary.push_str(&format!(
                "{}: ok, connector {}, endpoints {}, fingerprint {}\n",
                one.report.file,
                plan.connector,
                plan.endpoints.len(),
                Statement::of_rules(plan).fingerprint()
            )),
            _ => streams.remark(&count(one))?,
        }
    }
    streams.print(summary.as_bytes())
}

fn count(compiled: &Compiled) -> String {
    let findings = &compiled.report.diagnostics;
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    format!("{}: errors {errors}, warnings {}\n", compiled.report.file, findings.len().saturating_sub(errors))
}

impl<'a> Checked<'a> {
    fn reported(report: &'a Report, ok: bool) -> Self {
        Self { file: &report.file, ok, fingerprint: None, diagnostics: report.located().collect() }
    }
}

fn describe<'a>(compiled: &'a [Compiled], args: &Args) -> Files<'a> {
    let describe = |one: &'a Compiled| Checked {
        fingerprint: one.plan.as_ref().map(|plan| *Statement::of_rules(plan).fingerprint()),
        ..Checked::reported(&one.report, is_ok(one, args))
    };
    Files { files: compiled.iter().map(describe).collect(), consumers: None }
}
