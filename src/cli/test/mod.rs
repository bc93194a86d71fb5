//! `glassine test`: the cases of rules files.
//!
//! | file | what |
//! |---|---|
//! | `case` | one case: its files, what the rules make of it, whether that is expected |
//! | `difference` | where two documents differ |
//! | `coverage` | which leaves of the rules the cases show |
//! | `pretty` | how `--update` writes a document |

mod case;
mod coverage;
mod difference;
mod pretty;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::error::Error;
use super::options::{self, Format};
use super::{ExitStatus, Streams, input};
use case::{Bench, REQUEST, Tried};
use coverage::{Coverage, Missing};
use glassine_core::admit::Policy;
use glassine_core::graph::{BaseUrl, Origin};
use glassine_core::pseudonym::{KeyRing, OwnDomain, Pseudonyms};

pub(super) use case::CaseError;

/// The keys beside the cases.
const KEYS: &str = "keys.yaml";

/// Try the cases of rules files: requests with the expected response or refusal.
///
/// A case is a folder with `request.txt`, `input.json` (Graph's response), and `expected.json` or `refused.json`.
/// Exit code 1 if a case fails.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with cases: one folder for each connector, whose rules are NAME.yaml beside DIR. With `--rules`: the
    /// cases of that file.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The rules that all cases in DIR are for.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The key file; `keys.yaml` in DIR by default.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The consumer that sends the requests.
    #[arg(long, value_name = "NAME", default_value = "acme-analytics")]
    consumer: String,
    /// A domain of the tenant, or `*.contoso.com` for all below one. Stays readable beside a pseudonym. May be repeated.
    #[arg(long = "tenant-domain", value_name = "DOMAIN", value_parser = options::domain, default_values = ["contoso.com", "contoso.onmicrosoft.com"])]
    tenant_domains: Vec<OwnDomain>,
    /// The proxy's URL. Links in responses start with it.
    #[arg(long, value_name = "URL", default_value = "https://proxy.example", value_parser = BaseUrl::parse)]
    public_url: BaseUrl,
    /// The origin of Graph. Links to any other origin are refused.
    #[arg(long, value_name = "URL", default_value = options::GRAPH, value_parser = Origin::parse)]
    graph: Origin,
    /// Write the expected files of cases that fail. Review the changes.
    #[arg(long)]
    update: bool,
    /// Fail if an endpoint has no case, or no case shows a leaf of the rules.
    #[arg(long)]
    require_all: bool,
    /// The format of the results.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The output. Scripts rely on the field names.
#[derive(Serialize)]
struct Results {
    connectors: Vec<Connector>,
}

/// The cases of one rules file.
#[derive(Serialize)]
struct Connector {
    rules: String,
    cases: Vec<Tried>,
    /// Leaves of the rules that no case shows.
    missing: Vec<Missing>,
    /// Endpoints that no case requests.
    unrequested: Vec<String>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let keys = input::keys(&args.keys.clone().unwrap_or_else(|| args.folder.join(KEYS)))?;
    let suites = suites(args)?;
    let connectors = suites.iter().map(|(rules, cases)| try_all(rules, cases, &keys, args));
    let results = Results { connectors: connectors.collect::<Result<_, _>>()? };
    match args.format {
        Format::Json => streams.print_json(&results)?,
        Format::Text => streams.print(results.connectors.iter().map(text).collect::<String>().as_bytes())?,
    }
    let is_fine = |connector: &Connector| {
        connector.failed() == 0 && (!args.require_all || connector.shows_everything())
    };
    Ok(if results.connectors.iter().all(is_fine) { ExitStatus::Yes } else { ExitStatus::No })
}

/// The rules files, each with the folders of its cases.
fn suites(args: &Args) -> Result<Vec<(PathBuf, Vec<PathBuf>)>, CaseError> {
    let folder = &args.folder;
    let suites: Vec<_> = match &args.rules {
        Some(rules) => vec![(rules.clone(), cases(folder)?)],
        None => {
            let connectors = folders(folder)?.into_iter().map(|connector| {
                let rules = beside(folder).join(connector.file_name()?).with_extension("yaml");
                Some(cases(&connector).map(|cases| (rules, cases)))
            });
            connectors.flatten().collect::<Result<_, _>>()?
        }
    };
    let suites: Vec<_> = suites.into_iter().filter(|(_, cases)| !cases.is_empty()).collect();
    if suites.is_empty() { Err(CaseError::NoCase(folder.clone())) } else { Ok(suites) }
}

/// The folder that contains this one.
fn beside(folder: &Path) -> PathBuf {
    match folder.parent() {
        Some(parent) if folder.file_name().is_some() => parent.to_owned(),
        Some(_) | None => folder.join(".."),
    }
}

fn cases(folder: &Path) -> Result<Vec<PathBuf>, CaseError> {
    Ok(folders(folder)?.into_iter().filter(|folder| folder.join(REQUEST).exists()).collect())
}

/// The folders in a folder, by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let unreadable = |error| CaseError::Folder { folder: folder.to_owned(), error };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut folders: Vec<_> = paths.collect::<Result<_, _>>().map_err(unreadable)?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

fn try_all(rules: &Path, cases: &[PathBuf], keys: &KeyRing, args: &Args) -> Result<Connector, Error> {
    let text = input::text(rules)?;
    let plan = input::compile(rules, &text)?;
    let addresses = options::addresses(Some(&plan), &args.tenant_domains);
    let pseudonyms = Arc::new(keys.pseudonyms(&args.consumer, &addresses));
    let keys = Arc::<Pseudonyms>::clone(&pseudonyms);
    let policy = Policy::new(Arc::new(plan), keys, args.graph.clone(), args.public_url.as_str().into());
    let (bench, mut coverage) = (Bench { policy, pseudonyms }, Coverage::default());
    let tried = cases.iter().map(|case| case::run(case, &bench, &mut coverage, args.update));
    let cases = tried.collect::<Result<_, _>>()?;
    let plan = &bench.policy.plan;
    Ok(Connector {
        rules: rules.display().to_string(),
        cases,
        missing: coverage.missing(plan, rules, &text),
        unrequested: coverage.unrequested(plan),
    })
}

impl Connector {
    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passed).count()
    }

    fn shows_everything(&self) -> bool {
        self.missing.is_empty() && self.unrequested.is_empty()
    }
}

/// What is wrong and what is missing, then the sum in one line.
fn text(connector: &Connector) -> String {
    let Connector { rules, cases, missing, unrequested } = connector;
    let mut lines: Vec<String> = cases.iter().flat_map(case_lines).collect();
    lines.extend(unrequested.iter().map(|name| format!("note: no case requests the endpoint {name}")));
    lines.extend(missing.iter().map(|missing| {
        let Missing { line, endpoint, path, leaves } = missing;
        let line = line.as_ref().map(|line| format!("{}:{}: ", line.file, line.line)).unwrap_or_default();
        format!("note: {line}no case shows {path} ({leaves}), for example of {endpoint}")
    }));
    let failed = connector.failed();
    let passed = cases.len().saturating_sub(failed);
    let shown = if connector.shows_everything() { ", every leaf shown".to_owned() } else { String::new() };
    lines.push(format!("{rules}: {passed} passed, {failed} failed{shown}\n"));
    lines.join("\n")
}

fn case_lines(tried: &Tried) -> Vec<String> {
    let Tried { case, passed, differences, problem, updated } = tried;
    let updated = updated.iter().map(|file| format!("updated: {file}"));
    let failed = (!passed).then(|| format!("failed: {case}"));
    let why = differences.iter().map(ToString::to_string).chain(problem.clone());
    updated.chain(failed).chain(why.map(|why| format!("  {why}"))).collect()
}
