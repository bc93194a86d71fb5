//! Rules, keys and documents for tests of what leaves.

use std::sync::Arc;

use glassine_core::diagnostic::Severity;
use glassine_core::hex;
use glassine_core::pseudonym::{AddressPolicy, KeyRing, OwnDomain, PlusTags, Pseudonyms};
use glassine_core::rules::plan::{Body, LinkKind, Plan};
use glassine_core::rules::{self};
use glassine_core::sanitize::{Context, Counters, Failure, LinkRefusal, Links, Raw, Sanitizer};

/// The published test key A of `docs/PSEUDONYMS.md`.
pub(crate) const KEYS: &str = include_str!("../../rules/cases/keys.yaml");
/// The pseudonym domain of the tests.
pub(crate) const CONSUMER: &str = "acme-analytics";
/// Where the tests' links lead.
const GRAPH: &str = "https://graph.microsoft.com/";
pub(crate) const PROXY: &str = "https://proxy.example";
/// The tenant's domain.
pub(crate) const DOMAIN: &str = "contoso.com";

/// The tests' keys, for a consumer.
pub(crate) fn pseudonyms_of(consumer: &str) -> Pseudonyms {
    let own = [DOMAIN, "contoso.onmicrosoft.com"].map(|domain| OwnDomain::parse(domain).unwrap()).into();
    let policy = AddressPolicy { own, plus_tags: PlusTags::StripOwn, ..AddressPolicy::default() };
    KeyRing::parse(KEYS).unwrap().pseudonyms(consumer, &policy)
}

/// The tests' keys.
pub(crate) fn pseudonyms() -> Pseudonyms {
    pseudonyms_of(CONSUMER)
}

/// A rules file with these shapes (the lines under `shapes:`) and one endpoint, which responds with `response`.
pub(crate) fn rules_file(shapes: &str, response: &str) -> String {
    format!(
        "version: 1\nconnector: test\ntitle: Test\npurpose: Tests.\npermissions: [User.Read.All]\nshapes:\n{shapes}\n\
         endpoints:\n  - name: list\n    get: /v1.0/users\n    response: {response}\n"
    )
}

/// The plan of a rules file that has no errors.
pub(crate) fn plan(source: &str) -> Plan {
    let compiled = rules::compile("test.yaml", source);
    compiled.plan.unwrap_or_else(|| panic!("{}{source}", compiled.report.render()))
}

/// The codes of the errors in a rules file.
pub(crate) fn errors(source: &str) -> Vec<&'static str> {
    let report = rules::compile("test.yaml", source).report;
    let errors = report.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code.as_str()).collect()
}

/// The response of the only endpoint of these rules, with the tests' keys and links.
pub(crate) fn context(shapes: &str, response: &str) -> Context {
    let plan = plan(&rules_file(shapes, response));
    with_body(Arc::clone(plan.endpoints[0].response.body()))
}

pub(crate) fn with_body(body: Arc<Body>) -> Context {
    Context { body, pseudonyms: Arc::new(pseudonyms()), links: Arc::new(TestLinks) }
}

/// Leads from the tests' Graph to the tests' proxy.
struct TestLinks;

impl Links for TestLinks {
    fn rewrite(&self, link: &str, _kind: LinkKind) -> Result<String, LinkRefusal> {
        rewritten(link).ok_or(LinkRefusal::Elsewhere)
    }
}

/// What the tests' links become: as if they were sealed.
pub(crate) fn rewritten(link: &str) -> Option<String> {
    let inner = link.strip_prefix(GRAPH)?;
    Some(format!("{PROXY}/v1.0/users?$skiptoken={}", hex::lower(inner.as_bytes())))
}

/// What leaves of a document that arrives in these chunks.
pub(crate) fn sanitize_chunks<'c>(
    context: &Context,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Result<(String, Counters), Failure> {
    let (mut sanitizer, mut out) = (Sanitizer::new(context.clone()), Vec::new());
    for chunk in chunks {
        sanitizer.feed(Raw::new(chunk))?;
        out.extend(sanitizer.take().into_inner());
    }
    sanitizer.finish()?;
    out.extend(sanitizer.take().into_inner());
    Ok((String::from_utf8(out).unwrap(), sanitizer.counters()))
}

/// What leaves of a document, which must be the same whole and byte by byte.
pub(crate) fn sanitize(context: &Context, document: &str) -> Result<(String, Counters), Failure> {
    let whole = sanitize_chunks(context, [document.as_bytes()]);
    assert_eq!(sanitize_chunks(context, document.as_bytes().chunks(1)), whole, "byte by byte");
    whole
}

/// A text as a single-quoted YAML scalar, which has no escapes.
pub(crate) fn yaml_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The document cut into pieces of these lengths, over and over.
pub(crate) fn cut<'d>(document: &'d [u8], lengths: &[usize]) -> Vec<&'d [u8]> {
    let (mut rest, mut pieces) = (document, Vec::new());
    for length in lengths.iter().cycle() {
        if rest.is_empty() || lengths.iter().all(|length| *length == 0) {
            break;
        }
        let (piece, remaining) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = remaining;
    }
    pieces.push(rest);
    pieces
}
