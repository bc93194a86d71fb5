//! One case: a request, Graph's response to it, and what the consumer is expected to get.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::request::{RequestLine, RequestLineError};
use super::super::{input, sanitize};
use super::coverage::Coverage;
use super::difference::{Difference, differences};
use super::pretty::pretty;
use crate::config::files::FileError;
use glassine_core::admit::{Admitted, Policy, Refusal, Request, admit};
use glassine_core::graph::Target;
use glassine_core::pseudonym::Pseudonyms;
use glassine_core::sanitize::Failure;

/// The request. A folder with this file is a case.
pub(super) const REQUEST: &str = "request.txt";
/// Graph's response.
const INPUT: &str = "input.json";
/// What the consumer gets of it.
const EXPECTED: &str = "expected.json";
/// How the proxy refuses the request.
const REFUSED: &str = "refused.json";

/// Stands for the sealed part of links, which differs with the rules.
const SEALED: &str = "<sealed>";

/// What the cases of one connector are tried with.
pub(super) struct Bench {
    pub(super) policy: Policy,
    pub(super) pseudonyms: Arc<Pseudonyms>,
}

/// The outcome of a case.
#[derive(Serialize)]
pub(super) struct Tried {
    /// The case's folder.
    pub(super) case: String,
    pub(super) passed: bool,
    pub(super) differences: Vec<Difference>,
    /// What is wrong besides differences.
    pub(super) problem: Option<String>,
    /// The file that `--update` wrote.
    pub(super) updated: Option<String>,
}

/// Why a case cannot be tried. Nothing was decided.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: the folder cannot be read: {error}", folder.display())]
    Folder { folder: PathBuf, error: io::Error },
    #[error("{}: there is no case in this folder: a case is a folder with `{REQUEST}`", .0.display())]
    NoCase(PathBuf),
    #[error("{}: the file cannot be written: {error}", file.display())]
    Unwritable { file: PathBuf, error: io::Error },
    #[error("{}: the file is not the expected JSON: {error}", file.display())]
    Json { file: PathBuf, error: serde_json::Error },
    #[error("{}: {error}", file.display())]
    Request { file: PathBuf, error: RequestError },
    #[error("{}: there is `{EXPECTED}` and `{REFUSED}`: keep the one that the rules should lead to", .0.display())]
    Both(PathBuf),
}

/// Why a text is not a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    Line(#[from] RequestLineError),
    #[error(
        "line {0}: rules decide about `Prefer: …` and `ConsistencyLevel: eventual` only, so write no other header"
    )]
    Header(usize),
}

/// What is wrong with a case besides differences.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the request is admitted, and a refusal is expected")]
    Admitted,
    #[error("the request is refused, and a response is expected: {0}")]
    Refused(Value),
    #[error("the request is admitted, and there is no `{INPUT}` with Graph's response")]
    NoInput,
    #[error(
        "nothing says what to expect: write `{EXPECTED}` or `{REFUSED}`, or use `--update` and review what it writes"
    )]
    NoExpectation,
    #[error("nothing of the response in `{INPUT}` leaves: {0}")]
    Withheld(Failure),
    #[error("the link `{0}` in the response does not lead where Graph's link leads")]
    Link(&'static str),
}

/// What a request leads to.
enum Outcome {
    /// As `refused.json` has it.
    Refused(Value),
    /// As `expected.json` has it.
    Response(Value),
}

/// A refusal. The message is not part of a case, so that another wording fails none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    status: u16,
    code: String,
}

/// The files of a case.
struct Case {
    request: CaseRequest,
    input: Option<String>,
    /// `None` if no file says it yet.
    expected: Option<Outcome>,
}

/// What the rules make of a case.
struct Got {
    outcome: Outcome,
    /// The file that would say so, and its content.
    file: &'static str,
    text: String,
}

/// Tries one case. With `update`, a case that fails gets the file that lets it pass.
///
/// # Errors
///
/// [`CaseError`] if a file cannot be read or written.
pub(super) fn run(
    folder: &Path,
    bench: &Bench,
    coverage: &mut Coverage,
    update: bool,
) -> Result<Tried, CaseError> {
    let case = Case::read(folder)?;
    let got = match case.got(bench, coverage) {
        Ok(got) => got,
        Err(problem) => return Ok(Tried::new(folder, Err(problem))),
    };
    let tried = Tried::new(folder, compare(case.expected, &got.outcome));
    if tried.passed || !update {
        return Ok(tried);
    }
    let updated = Some(write(folder, &got)?.display().to_string());
    Ok(Tried { updated, ..Tried::new(folder, Ok(Vec::new())) })
}

impl Tried {
    fn new(folder: &Path, compared: Result<Vec<Difference>, Problem>) -> Self {
        let (differences, problem) = match compared {
            Ok(differences) => (differences, None),
            Err(problem) => (Vec::new(), Some(problem.to_string())),
        };
        let passed = differences.is_empty() && problem.is_none();
        Self { case: folder.display().to_string(), passed, differences, problem, updated: None }
    }
}

fn compare(expected: Option<Outcome>, got: &Outcome) -> Result<Vec<Difference>, Problem> {
    match (expected, got) {
        (Some(Outcome::Refused(expected)), Outcome::Refused(got))
        | (Some(Outcome::Response(expected)), Outcome::Response(got)) => Ok(differences(&expected, got)),
        (Some(Outcome::Refused(_)), Outcome::Response(_)) => Err(Problem::Admitted),
        (Some(Outcome::Response(_)), Outcome::Refused(got)) => Err(Problem::Refused(got.clone())),
        (None, _) => Err(Problem::NoExpectation),
    }
}

impl Case {
    fn read(folder: &Path) -> Result<Self, CaseError> {
        let file = folder.join(REQUEST);
        let text = input::text(&file)?;
        let request = CaseRequest::parse(&text).map_err(|error| CaseError::Request { file, error })?;
        let file = folder.join(INPUT);
        let input = file.exists().then(|| input::text(&file)).transpose()?;
        let input = input.map(|text| text.trim().to_owned());
        Ok(Self { request, input, expected: expected(folder)? })
    }

    fn got(&self, bench: &Bench, coverage: &mut Coverage) -> Result<Got, Problem> {
        let admitted = match admit(&self.request.borrowed(), &bench.policy) {
            Ok(admitted) => admitted,
            Err(refusal) => return Ok(Got::refused(&refusal)),
        };
        coverage.request(&admitted.endpoint);
        let response = response(&admitted, bench, self.input.as_deref().ok_or(Problem::NoInput)?)?;
        let value = value(&response);
        coverage.show(&admitted.endpoint, &value);
        Ok(Got { outcome: Outcome::Response(value), file: EXPECTED, text: pretty(&response) })
    }
}

/// What the case's files expect; `None` if no file says it yet.
fn expected(folder: &Path) -> Result<Option<Outcome>, CaseError> {
    let (response, refusal) = (folder.join(EXPECTED), folder.join(REFUSED));
    match (response.exists(), refusal.exists()) {
        (true, true) => Err(CaseError::Both(folder.to_owned())),
        (true, false) => Ok(Some(Outcome::Response(parse(response)?))),
        (false, true) => {
            let Refused { status, code } = parse(refusal)?;
            Ok(Some(Outcome::Refused(json!({ "status": status, "code": code }))))
        }
        (false, false) => Ok(None),
    }
}

impl Got {
    fn refused(refusal: &Refusal) -> Self {
        let (status, code) = (refusal.status(), refusal.code());
        let text = format!("{{ \"status\": {status}, \"code\": \"{code}\" }}\n");
        let outcome = Outcome::Refused(json!({ "status": status, "code": code }));
        Self { outcome, file: REFUSED, text }
    }
}

/// What leaves of Graph's response, with [`SEALED`] links.
fn response(admitted: &Admitted, bench: &Bench, document: &str) -> Result<String, Problem> {
    let Bench { policy, pseudonyms } = bench;
    let clean = sanitize::clean(admitted, policy, pseudonyms, document.as_bytes());
    let (clean, _) = clean.map_err(Problem::Withheld)?;
    // The sanitizer writes UTF-8.
    let text = String::from_utf8_lossy(clean.get());
    check_links(policy, document, &text)?;
    Ok(sealed(&text))
}

/// Follows the response's links: each has to lead where Graph's link leads.
fn check_links(policy: &Policy, document: &str, response: &str) -> Result<(), Problem> {
    let (document, response) = (value(document), value(response));
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        let link = |of: &Value| of.get(name).and_then(Value::as_str).map(str::to_owned);
        if link(&document).and_then(|link| target(&link, policy.graph.as_str()))
            != link(&response).and_then(|link| followed(&link, policy))
        {
            return Err(Problem::Link(name));
        }
    }
    Ok(())
}

/// The canonical target of a link to `origin`.
fn target(link: &str, origin: &str) -> Option<String> {
    Some(Target::parse(link.strip_prefix(origin)?).ok()?.canonical())
}

/// The request to Graph that following a link of the proxy makes.
fn followed(link: &str, policy: &Policy) -> Option<String> {
    let target = link.strip_prefix(&*policy.public_url)?;
    let request = Request { method: "GET", target, prefer: None, eventual: false };
    Some(admit(&request, policy).ok()?.upstream)
}

/// Replaces the sealed part of links, which is base64url.
fn sealed(text: &str) -> String {
    let is_sealed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    ["?$skiptoken=", "?$deltatoken="].iter().fold(text.to_owned(), |text, option| {
        let mut pieces = text.split(option);
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| text + option + SEALED + piece.trim_start_matches(is_sealed))
    })
}

/// Writes the file that says what the rules make of the case, and removes the one that said otherwise.
fn write(folder: &Path, got: &Got) -> Result<PathBuf, CaseError> {
    let file = folder.join(got.file);
    let unwritable = |file: &Path, error| CaseError::Unwritable { file: file.to_owned(), error };
    fs::write(&file, &got.text).map_err(|error| unwritable(&file, error))?;
    let other = folder.join(if got.file == EXPECTED { REFUSED } else { EXPECTED });
    if other.exists() {
        fs::remove_file(&other).map_err(|error| unwritable(&other, error))?;
    }
    Ok(file)
}

fn parse<T: DeserializeOwned>(file: PathBuf) -> Result<T, CaseError> {
    let text = input::text(&file)?;
    serde_json::from_str(&text).map_err(|error| CaseError::Json { file, error })
}

/// The value of a text that the sanitizer has read or written, so that it is JSON.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// The content of `request.txt`: the request line, then header lines.
struct CaseRequest {
    line: RequestLine,
    prefer: Option<String>,
    eventual: bool,
}

impl CaseRequest {
    fn parse(text: &str) -> Result<Self, RequestError> {
        let mut lines = text.lines();
        let line = lines.next().unwrap_or_default().parse()?;
        let mut request = Self { line, prefer: None, eventual: false };
        for (at, line) in (2..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
            let (name, value) = line.split_once(':').ok_or(RequestError::Header(at))?;
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("prefer", value) => request.prefer = Some(value.to_owned()),
                ("consistencylevel", "eventual") => request.eventual = true,
                _ => return Err(RequestError::Header(at)),
            }
        }
        Ok(request)
    }

    fn borrowed(&self) -> Request<'_> {
        Request {
            method: &self.line.method,
            target: &self.line.target,
            prefer: self.prefer.as_deref(),
            eventual: self.eventual,
        }
    }
}
