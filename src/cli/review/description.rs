//! The review for programs: the same documents that the proxy serves as `/openapi.json` and `$metadata`.

use super::super::error::Error;
use super::super::{ExitStatus, Streams, input};
use super::{Args, Format};
use glassine_core::graph::Version;
use glassine_core::interface::{About, Document};
use glassine_core::rules::Plan;
use glassine_core::statement::Statement;

/// Why there is no description.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum NoDescription {
    /// A description is of one rules file.
    #[error("`--format openapi` and `--format csdl` describe one rules file: name one, and not `--config`")]
    Files,
    /// No endpoint opens the API version.
    #[error("no endpoint of these rules opens {}", .0.as_str())]
    Version(Version),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let [file] = args.files.as_slice() else { return Err(NoDescription::Files.into()) };
    let compiled = input::compile_all(std::slice::from_ref(file))?;
    for compiled in compiled {
        let Some(plan) = compiled.plan else {
            streams.remark(&compiled.report.render())?;
            return Ok(ExitStatus::No);
        };
        streams.print(document(args, &plan)?.text().as_bytes())?;
    }
    Ok(ExitStatus::Yes)
}

fn document(args: &Args, plan: &Plan) -> Result<Document, NoDescription> {
    if args.format == Format::Csdl {
        let version = args.api_version;
        return Document::csdl(plan, version).ok_or(NoDescription::Version(version));
    }
    let revision = Statement::of_rules(plan).fingerprint().short();
    Ok(Document::openapi(plan, About { revision: &revision, url: args.public_url.as_ref() }))
}

/// Parses the value of `--api-version`.
pub(super) fn version(text: &str) -> Result<Version, NotAVersion> {
    Version::parse(text).ok_or(NotAVersion)
}

/// The text is not an API version.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected v1.0 or beta")]
pub(super) struct NotAVersion;
