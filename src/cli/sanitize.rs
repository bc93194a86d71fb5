//! `glassine sanitize`: what the proxy would send of a response from Graph.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::Error;
use super::request::RequestLine;
use super::stand_in::StandIn;
use super::{ExitStatus, Streams, input, options};
use glassine_core::admit::{Admitted, Policy, Refusal, Request, admit};
use glassine_core::graph::{BaseUrl, Origin, Segment, Target};
use glassine_core::pseudonym::{OwnDomain, Pseudonyms};
use glassine_core::rules::plan::{Endpoint, Response};
use glassine_core::rules::template::Part;
use glassine_core::sanitize::tokenizer::Limits;
use glassine_core::sanitize::{Clean, Context, Counters, Failure, Raw, Sanitizer, Violation, gate, sanitize};

/// Sanitize one response of Graph, from standard input to standard output.
///
/// Reads the whole response before it writes anything, and writes nothing if the response is refused.
/// Exit code 1 if the rules refuse the request, 2 if they refuse the response.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The consumer's rules.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// The request that led to the response, as in 'GET /v1.0/users/{user}/messages'. The path may have any keys:
    /// nothing is sent, and links in the output have tokens in place of the keys.
    #[arg(long)]
    request: RequestLine,
    /// The key file.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The consumer that the response is for.
    #[arg(long, value_name = "NAME", default_value = "default")]
    consumer: String,
    /// A domain of the tenant, or `*.contoso.com` for all below one. Stays readable beside a pseudonym. May be repeated.
    #[arg(long = "tenant-domain", value_name = "DOMAIN", value_parser = options::domain)]
    tenant_domains: Vec<OwnDomain>,
    /// The proxy's URL as consumers know it. Links in the output start with it.
    #[arg(long, value_name = "URL", default_value = "https://localhost", value_parser = BaseUrl::parse)]
    public_url: BaseUrl,
    /// The origin of Graph. Links to any other origin are refused.
    #[arg(long, value_name = "URL", default_value = options::GRAPH, value_parser = Origin::parse)]
    graph: Origin,
    /// Report on standard error how many values were kept, transformed and dropped.
    #[arg(long)]
    stats: bool,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let plan = input::rules(&args.rules)?;
    let addresses = options::addresses(Some(&plan), &args.tenant_domains);
    let pseudonyms = Arc::new(input::keys(&args.keys)?.pseudonyms(&args.consumer, &addresses));
    let policy = Policy::new(
        Arc::new(plan),
        Arc::<Pseudonyms>::clone(&pseudonyms),
        args.graph.clone(),
        args.public_url.as_str().into(),
    );
    let admitted = admit_any_key(&args.request, &policy, &pseudonyms).map_err(Error::Refused)?;
    let document = read(streams.input)?;
    let (clean, counters) =
        clean(&admitted, &policy, &pseudonyms, &document).map_err(|failure| match failure {
            Failure::Violation(Violation::NotACount) => Error::Count,
            Failure::Violation(violation) => {
                let position = locate(context(&admitted, &policy, &pseudonyms), &document);
                Error::Violation { violation, position }
            }
            syntax @ Failure::Syntax(_) => Error::Document(syntax),
        })?;
    streams.print(clean.get())?;
    if args.stats {
        streams.remark(&describe(counters))?;
    }
    Ok(ExitStatus::Yes)
}

/// Admits a request whose path has tokens, raw ids or placeholders as keys.
fn admit_any_key(
    request: &RequestLine,
    policy: &Policy,
    pseudonyms: &Pseudonyms,
) -> Result<Admitted, Refusal> {
    let mut target = Target::parse(&request.target)?;
    let path = Target { options: Vec::new(), ..target.clone() }.canonical();
    let lenient = policy.with_keys(Arc::new(StandIn::Anything));
    let request = Request { method: &request.method, target: &path, prefer: None, eventual: false };
    let endpoint = admit(&request, &lenient)?.endpoint;
    tokenize_keys(&mut target, &endpoint, pseudonyms);
    admit(&Request { target: &target.canonical(), ..request }, policy)
}

/// Replaces every raw key by a token: links in the output repeat the path and would reveal the key.
fn tokenize_keys(target: &mut Target, endpoint: &Endpoint, pseudonyms: &Pseudonyms) {
    for (segment, part) in target.segments.iter_mut().zip(&endpoint.template.parts) {
        if let (Part::Param(name), Segment::Plain(key) | Segment::Key(key)) = (part, &*segment)
            && let Some(token) = token(endpoint, name, key, pseudonyms)
        {
            *segment = Segment::Plain(token);
        }
    }
}

/// The token for a raw key, if the path parameter takes tokens.
fn token(endpoint: &Endpoint, name: &str, key: &str, pseudonyms: &Pseudonyms) -> Option<String> {
    let param = endpoint.params.iter().find(|param| param.name == name)?;
    let class = param.token?;
    let is_name = param.one_of.iter().any(|name| name.eq_ignore_ascii_case(key));
    if is_name || pseudonyms.open(class, key).is_some() {
        return None;
    }
    let mut token = Vec::new();
    let _outcome = pseudonyms.reversible(class, key, &mut token);
    String::from_utf8(token).ok()
}

/// Reads one byte more than the sanitizer accepts, so that the sanitizer refuses a document that is too long.
fn read(input: &mut dyn Read) -> Result<Vec<u8>, Error> {
    let mut document = Vec::new();
    let limit = Limits::default().document_length.saturating_add(1);
    input.take(limit).read_to_end(&mut document).map_err(Error::StandardInput)?;
    Ok(document)
}

/// What leaves of the response to an admitted request.
pub(super) fn clean(
    admitted: &Admitted,
    policy: &Policy,
    pseudonyms: &Arc<Pseudonyms>,
    document: &[u8],
) -> Result<(Clean<Vec<u8>>, Counters), Failure> {
    match &admitted.endpoint.response {
        Response::Json(_) => sanitize(context(admitted, policy, pseudonyms), Raw::new(document)),
        Response::Count(_) => Ok((gate::count(Raw::new(document))?, Counters::default())),
    }
}

fn context(admitted: &Admitted, policy: &Policy, pseudonyms: &Arc<Pseudonyms>) -> Context {
    Context {
        body: Arc::clone(admitted.endpoint.response.body()),
        pseudonyms: Arc::clone(pseudonyms),
        links: Arc::new(admitted.links(policy)),
    }
}

/// How many bytes the sanitizer accepts before it refuses the document.
fn locate(context: Context, document: &[u8]) -> usize {
    let mut sanitizer = Sanitizer::new(context);
    document.chunks(1).take_while(|byte| sanitizer.feed(Raw::new(byte)).is_ok()).count()
}

fn describe(counters: Counters) -> String {
    format!(
        "kept {}, transformed {}, dropped as not understood {}, dropped as too long {}\n",
        counters.kept, counters.transformed, counters.not_understood, counters.too_long
    )
}
