//! `glassine check FILE…`: everything there is to say about rules files.

use std::path::PathBuf;

use serde::Serialize;

use super::error::Error;
use super::options::Format;
use super::{Answer, Streams, input};
use crate::rules::diagnostic::Located;
use crate::rules::{Compiled, compile, raw};

/// Check rules files: every mistake in one pass, with its place and what to do.
///
/// Exit code 1 if a file has errors, 2 if a file cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rules files.
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Count warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
    /// How the findings are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the JSON Schema of rules files instead, for editors.
    #[arg(long, conflicts_with_all = ["files", "deny_warnings", "format"])]
    schema: bool,
}

/// The whole answer, for scripts.
#[derive(Serialize)]
struct Files<'a> {
    files: Vec<Checked<'a>>,
}

/// What there is to say about one file.
#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    ok: bool,
    /// Absent where there are errors.
    fingerprint: Option<&'a str>,
    diagnostics: Vec<Located<'a>>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<Answer, Error> {
    if args.schema {
        streams.answer(raw::json_schema().as_bytes())?;
        return Ok(Answer::Yes);
    }
    let compiled = compile_all(&args.files)?;
    match args.format {
        Format::Text => write_text(&compiled, args, streams)?,
        Format::Json => streams.answer_json(&describe(&compiled, args))?,
    }
    Ok(if compiled.iter().all(|compiled| is_ok(compiled, args)) { Answer::Yes } else { Answer::No })
}

/// All files or none: a file that is missing is named with all others that are.
fn compile_all(files: &[PathBuf]) -> Result<Vec<Compiled>, Error> {
    let (mut compiled, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        match input::text(file) {
            Ok(text) => compiled.push(compile(&file.display().to_string(), &text)),
            Err(error) => unreadable.push(error),
        }
    }
    if unreadable.is_empty() { Ok(compiled) } else { Err(Error::Inputs(unreadable)) }
}

fn is_ok(compiled: &Compiled, args: &Args) -> bool {
    let denied = args.deny_warnings && !compiled.report.diagnostics.is_empty();
    compiled.plan.is_some() && !denied
}

/// Findings are beside the answer; the answer is one line per file that is fine.
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
                plan.fingerprint
            )),
            _ => streams.remark(&count(one))?,
        }
    }
    streams.answer(summary.as_bytes())
}

fn count(compiled: &Compiled) -> String {
    let findings = &compiled.report.diagnostics;
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    format!("{}: errors {errors}, warnings {}\n", compiled.report.file, findings.len().saturating_sub(errors))
}

fn describe<'a>(compiled: &'a [Compiled], args: &Args) -> Files<'a> {
    let describe = |one: &'a Compiled| Checked {
        file: &one.report.file,
        ok: is_ok(one, args),
        fingerprint: one.plan.as_ref().map(|plan| plan.fingerprint.as_str()),
        diagnostics: one.report.located().collect(),
    };
    Files { files: compiled.iter().map(describe).collect() }
}
