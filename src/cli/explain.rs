//! `glassine explain`: what the proxy would do with a request, without sending anything to Graph.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::error::Error;
use super::options::{self, Format};
use super::request::RequestLine;
use super::stand_in::{StandIn, readable, veiled_upstream};
use super::why::{self, RuleLine};
use super::{ExitStatus, Streams, input};
use glassine_core::admit::{self, Admitted, Policy, Refusal, Request, route};
use glassine_core::catalogue::meaning;
use glassine_core::graph::{INEFFICIENT_FILTER, OptionName, Origin, Preference, Target, is_inefficient};
use glassine_core::pseudonym;
use glassine_core::rules::Plan;
use glassine_core::rules::plan::Endpoint;

/// Explain a request: which endpoint matches it and what the proxy sends to Graph, or why it is refused.
///
/// Without keys, all tokens (`p~…`) and placeholders (`{user}`) count as valid tokens of the consumer.
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
    /// The consumer that the tokens belong to.
    #[arg(long, value_name = "NAME", requires = "keys")]
    consumer: Option<String>,
    /// The format of the explanation.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Method and path, as in 'GET /v1.0/users/{user}/messages?$top=10'; GET if there is no method.
    #[arg(value_name = "REQUEST")]
    request: RequestLine,
}

/// The output. Scripts rely on the field names.
#[derive(Serialize)]
struct Explanation {
    decision: Decision,
    endpoint: Option<String>,
    canonical: Option<String>,
    reason: Option<Reason>,
    upstream: Option<String>,
    /// What Graph is known to say to the request, if the rules allow it and Graph does not.
    graph: Option<Reason>,
    prefer: Option<Vec<String>>,
    options: Vec<Verdict>,
    /// The properties in `$select` that do not leave.
    dropped: Vec<String>,
    /// The line of the rules that decides. For a refusal: the line to change to allow the request.
    rule: Option<RuleLine>,
    /// The most similar endpoints that the rules open, if they do not open the requested one.
    nearest: Vec<String>,
    note: Option<&'static str>,
}

/// The note on an explanation that presumes tokens to be valid.
const TOKENS: &str =
    "tokens and sealed links are taken for valid; with --keys FILE --consumer NAME they are opened";
/// The note on a batch.
const EACH_ALONE: &str = "each request inside is admitted on its own";

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

/// Whether the rules allow one query option on its own.
#[derive(Serialize)]
struct Verdict {
    name: String,
    decision: Decision,
    reason: Option<Reason>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let explanation = explain(args)?;
    match args.format {
        Format::Json => streams.print_json(&explanation)?,
        Format::Text => streams.print(describe(&explanation).as_bytes())?,
    }
    Ok(if explanation.decision == Decision::Allow { ExitStatus::Yes } else { ExitStatus::No })
}

fn explain(args: &Args) -> Result<Explanation, Error> {
    let text = input::text(&args.rules)?;
    let policy = policy(args, input::compile(&args.rules, &text)?)?;
    let prefer = args.prefer.as_deref();
    let request =
        Request { method: &args.request.method, target: &args.request.target, prefer, eventual: false };
    let target = Target::parse(request.target).ok();
    if let (Some(_), Some(target)) = (admit::batch(&request), &target) {
        return Ok(batch(target));
    }
    let mut admission = admit::admit(&request, &policy);
    // Without keys, sealed links count as valid, as tokens do.
    let presumed = args.keys.is_none()
        && matches!(admission, Err(Refusal::Link))
        && target.as_ref().is_some_and(has_form_of_link);
    if presumed {
        let path = request.target.split('?').next().unwrap_or_default();
        admission = admit::admit(&Request { target: path, ..request }, &policy);
    }
    Ok(match &target {
        Some(target) => {
            Subject { args, text: &text, policy: &policy, request, target, presumed }.explanation(admission)
        }
        None => Explanation { reason: admission.err().map(Reason::from), ..Explanation::refusal() },
    })
}

impl Explanation {
    fn refusal() -> Self {
        Self {
            decision: Decision::Refuse,
            endpoint: None,
            canonical: None,
            reason: None,
            upstream: None,
            graph: None,
            prefer: None,
            options: Vec::new(),
            dropped: Vec::new(),
            rule: None,
            nearest: Vec::new(),
            note: None,
        }
    }
}

/// The proxy always accepts the head of a batch, and decides about each request in the body when the body arrives.
fn batch(target: &Target) -> Explanation {
    Explanation {
        decision: Decision::Allow,
        endpoint: Some("$batch".to_owned()),
        canonical: Some(target.canonical()),
        note: Some(EACH_ALONE),
        ..Explanation::refusal()
    }
}

/// A request with a well-formed target, and the policy that decides about it.
struct Subject<'a> {
    args: &'a Args,
    text: &'a str,
    policy: &'a Policy,
    request: Request<'a>,
    target: &'a Target,
    /// Whether the request has a sealed link that counts as valid because there are no keys to open it.
    presumed: bool,
}

impl Subject<'_> {
    fn explanation(&self, admission: Result<Admitted, Refusal>) -> Explanation {
        let endpoint = why::endpoint(&self.policy.plan, self.target, &*self.policy.keys);
        let spelled = endpoint.and_then(|endpoint| route::spelled(endpoint, self.target));
        let shared = Explanation {
            endpoint: endpoint.map(|endpoint| endpoint.name.clone()),
            canonical: Some(readable(&spelled.unwrap_or_else(|| self.target.canonical()))),
            // Only an endpoint can allow or refuse an option.
            options: if !self.presumed && self.admit_with(None).is_ok() {
                self.verdicts()
            } else {
                Vec::new()
            },
            dropped: endpoint.map(|endpoint| self.dropped(endpoint)).unwrap_or_default(),
            ..Explanation::refusal()
        };
        match admission {
            Ok(admitted) => Explanation {
                decision: Decision::Allow,
                upstream: Some(self.upstream(&admitted)),
                graph: refusal_of_graph(&admitted),
                prefer: Some(admitted.prefer.iter().map(Preference::to_string).collect()),
                rule: Some(self.line(&admitted.endpoint.places.endpoint)),
                note: self.args.keys.is_none().then_some(TOKENS),
                ..shared
            },
            Err(refusal) => Explanation {
                rule: endpoint.and_then(|endpoint| self.place(endpoint, &refusal)),
                nearest: match refusal {
                    Refusal::Endpoint => why::nearest(&self.policy.plan, self.target),
                    _ => Vec::new(),
                },
                reason: Some(Reason::from(refusal)),
                ..shared
            },
        }
    }

    fn dropped(&self, endpoint: &Endpoint) -> Vec<String> {
        admit::unselected(self.target, endpoint).iter().map(ToString::to_string).collect()
    }

    fn upstream(&self, admitted: &Admitted) -> String {
        let upstream = veiled_upstream(admitted, admit::is_link(self.target));
        match upstream.split_once('?') {
            Some((path, _)) if self.presumed => format!("{path}?{{sealed}}"),
            _ => upstream,
        }
    }

    fn line(&self, place: &Range<usize>) -> RuleLine {
        RuleLine::new(&self.args.rules, self.text, place)
    }

    fn place(&self, endpoint: &Endpoint, refusal: &Refusal) -> Option<RuleLine> {
        let mut options = self.target.options.iter().enumerate();
        let refused = options.find(|(index, _)| self.admit_with(Some(*index)).is_err());
        let option = refused.map(|(_, option)| &option.name);
        let place = why::place(endpoint, self.target, refusal, option, &*self.policy.keys)?;
        Some(self.line(&place))
    }

    /// Each option alone: they are admitted independently of each other.
    fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |(index, name): (usize, &OptionName)| {
            let reason = self.admit_with(Some(index)).err().map(Reason::from);
            let decision = if reason.is_none() { Decision::Allow } else { Decision::Refuse };
            Verdict { name: name.as_str().to_owned(), decision, reason }
        };
        self.target.options.iter().map(|option| &option.name).enumerate().map(verdict).collect()
    }

    /// Admits the path with one of its options, or with none.
    fn admit_with(&self, option: Option<usize>) -> Result<Admitted, Refusal> {
        let option = option.and_then(|index| self.target.options.get(index));
        let target = Target { options: option.cloned().into_iter().collect(), ..self.target.clone() };
        admit::admit(&Request { target: &target.canonical(), prefer: None, ..self.request }, self.policy)
    }
}

fn policy(args: &Args, plan: Plan) -> Result<Policy, Error> {
    let keys = match (&args.keys, &args.consumer) {
        (Some(file), Some(consumer)) => {
            let ring = input::keys(file)?;
            StandIn::Opened(Box::new(ring.pseudonyms(consumer, &options::addresses(Some(&plan), &[]))))
        }
        _ => StandIn::Presumed,
    };
    // The proxy needs both for links in responses. This command has no response.
    let graph = Origin::parse(options::GRAPH).map_err(Error::Graph)?;
    Ok(Policy::new(Arc::<Plan>::new(plan), Arc::new(keys), graph, "".into()))
}

/// Whether the request's sealed link could be genuine.
fn has_form_of_link(target: &Target) -> bool {
    let sealed = [OptionName::SkipToken, OptionName::DeltaToken];
    sealed.iter().filter_map(|name| target.option(name)).all(pseudonym::has_form_of_link)
}

/// Graph's own refusal, as far as it is known before anything is sent.
fn refusal_of_graph(admitted: &Admitted) -> Option<Reason> {
    let asked = Target::parse(&admitted.upstream).ok().filter(|_| admitted.endpoint.mailbox)?;
    let message = meaning(INEFFICIENT_FILTER).filter(|_| is_inefficient(&asked))?;
    Some(Reason { code: INEFFICIENT_FILTER, message: message.to_owned(), status: 400 })
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), message: refusal.to_string(), status: refusal.status() }
    }
}

fn describe(explanation: &Explanation) -> String {
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
    if let Some(Reason { code, message, status }) = &explanation.graph {
        line("graph", &format!("can refuse it: {status} {code}: {message}"));
    }
    if let Some(preferences) = explanation.prefer.as_ref().filter(|preferences| !preferences.is_empty()) {
        line("prefer", &preferences.join(", "));
    }
    for option in &explanation.options {
        let verdict = option.reason.as_ref().map_or("allow", |reason| &reason.message);
        line("option", &format!("{}: {verdict}", option.name));
    }
    for name in &explanation.dropped {
        line("dropped", &format!("{name} does not leave"));
    }
    if let Some(RuleLine { file, line: number }) = &explanation.rule {
        line("rule", &format!("{file}:{number}"));
    }
    for template in &explanation.nearest {
        line("nearest", template);
    }
    if let Some(note) = explanation.note {
        line("note", note);
    }
    lines.push(String::new());
    lines.join("\n")
}
