//! `glassine explain`: what the proxy would do with a request, without asking Graph.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::error::Error;
use super::options::{self, Format};
use super::request::RequestLine;
use super::stand_in::{StandIn, readable, veiled_upstream};
use super::{Answer, Streams, input};
use crate::admit::{Admitted, Policy, Refusal, Request, admit};
use crate::graph::{OptionName, Origin, Target};
use crate::rules::Plan;

/// Explain what becomes of a request: which endpoint answers, what Graph is asked, or why not.
///
/// Without keys, tokens (`p~…`) and placeholders (`{user}`) are taken for tokens of this consumer.
/// Exit code 0 if the request is allowed, 1 if it is refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The consumer's rules.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// The request's `Prefer` header.
    #[arg(long, value_name = "VALUE")]
    prefer: Option<String>,
    /// The key file, to open tokens and sealed links.
    #[arg(long, value_name = "FILE", requires = "consumer")]
    keys: Option<PathBuf>,
    /// The consumer whose tokens they are.
    #[arg(long, value_name = "NAME", requires = "keys")]
    consumer: Option<String>,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Method and path, as in 'GET /v1.0/users/{user}/messages?$top=10'; GET if there is no method.
    #[arg(value_name = "REQUEST")]
    request: RequestLine,
}

/// The answer; field names are what scripts read.
#[derive(Serialize)]
struct Explanation {
    decision: Decision,
    endpoint: Option<String>,
    canonical: Option<String>,
    reason: Option<Reason>,
    upstream: Option<String>,
    prefer: Option<Vec<String>>,
    options: Vec<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Refuse,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    message: String,
    status: u16,
}

/// What is thought of one query option on its own.
#[derive(Serialize)]
struct Verdict {
    name: String,
    decision: Decision,
    reason: Option<Reason>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<Answer, Error> {
    let explanation = explain(args)?;
    match args.format {
        Format::Json => streams.answer_json(&explanation)?,
        Format::Text => streams.answer(describe(&explanation, args.keys.is_some()).as_bytes())?,
    }
    Ok(if explanation.decision == Decision::Allow { Answer::Yes } else { Answer::No })
}

fn explain(args: &Args) -> Result<Explanation, Error> {
    let policy = policy(args)?;
    let prefer = args.prefer.as_deref();
    let request =
        Request { method: &args.request.method, target: &args.request.target, prefer, eventual: false };
    let target = Target::parse(request.target).ok();
    let answer = admit(&request, &policy);
    if args.keys.is_none() && matches!(answer, Err(Refusal::Link)) {
        return Err(Error::SealedLink);
    }
    let path = target.as_ref().and_then(|target| admit_with(&request, target, None, &policy).ok());
    let endpoint = path.map(|path| path.endpoint.name.clone());
    // Without an endpoint there is nothing that an option could be measured by.
    let options = target.iter().filter(|_| endpoint.is_some());
    let upstream = |admitted: &Admitted| veiled_upstream(admitted, target.as_ref().is_some_and(is_link));
    Ok(Explanation {
        decision: if answer.is_ok() { Decision::Allow } else { Decision::Refuse },
        canonical: target.as_ref().map(|target| readable(&target.canonical())),
        upstream: answer.as_ref().ok().map(upstream),
        prefer: answer.as_ref().ok().map(|admitted| admitted.prefer.values()),
        reason: answer.err().map(Reason::from),
        options: options.flat_map(|target| verdicts(&request, target, &policy)).collect(),
        endpoint,
    })
}

fn policy(args: &Args) -> Result<Policy, Error> {
    let plan = input::rules(&args.rules)?;
    let keys = match (&args.keys, &args.consumer) {
        (Some(file), Some(consumer)) => {
            let ring = input::keys(file)?;
            StandIn::Opened(Box::new(ring.pseudonyms(consumer, &options::addresses(Some(&plan), &[]))))
        }
        _ => StandIn::Presumed,
    };
    // Both are for links in answers, of which there are none here.
    let graph = Origin::parse(options::GRAPH).map_err(Error::Graph)?;
    Ok(Policy { plan: Arc::<Plan>::new(plan), keys: Arc::new(keys), graph, public_url: "".into() })
}

fn is_link(target: &Target) -> bool {
    [OptionName::SkipToken, OptionName::DeltaToken].iter().any(|name| target.option(name).is_some())
}

/// Each option alone: they are admitted independently of each other.
fn verdicts(request: &Request<'_>, target: &Target, policy: &Policy) -> Vec<Verdict> {
    let verdict = |(index, name): (usize, &OptionName)| {
        let reason = admit_with(request, target, Some(index), policy).err().map(Reason::from);
        let decision = if reason.is_none() { Decision::Allow } else { Decision::Refuse };
        Verdict { name: name.as_str().to_owned(), decision, reason }
    };
    target.options.iter().map(|option| &option.name).enumerate().map(verdict).collect()
}

/// Admits the path with one of its options, or with none.
fn admit_with(
    request: &Request<'_>,
    target: &Target,
    option: Option<usize>,
    policy: &Policy,
) -> Result<Admitted, Refusal> {
    let options = option.and_then(|index| target.options.get(index)).cloned().into_iter().collect();
    let target = Target { options, ..target.clone() }.canonical();
    admit(&Request { target: &target, prefer: None, ..*request }, policy)
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), message: refusal.to_string(), status: refusal.status() }
    }
}

fn describe(explanation: &Explanation, has_keys: bool) -> String {
    let mut lines = vec![match &explanation.reason {
        None => "allow".to_owned(),
        Some(reason) => format!("refuse: {} {}: {}", reason.status, reason.code, reason.message),
    }];
    let mut line = |name: &str, value: &str| lines.push(format!("  {name:<10} {value}"));
    for (name, value) in [
        ("endpoint", &explanation.endpoint),
        ("canonical", &explanation.canonical),
        ("upstream", &explanation.upstream),
    ] {
        line(name, value.as_deref().unwrap_or("-"));
    }
    for preference in explanation.prefer.iter().flatten() {
        line("prefer", preference);
    }
    for option in &explanation.options {
        let verdict = option.reason.as_ref().map_or("allow", |reason| &reason.message);
        line("option", &format!("{}: {verdict}", option.name));
    }
    if !has_keys && explanation.decision == Decision::Allow {
        line("note", "tokens are taken for valid; with --keys FILE --consumer NAME they are opened");
    }
    lines.push(String::new());
    lines.join("\n")
}
