//! An admitted request stays within the rules. The check reads the final request for Graph. Its canonical form is
//! admitted again as the same request. A consumer can follow Graph's next link in the response.
//!
//! A reviewer signs the rules for their endpoints and options. No spelling of a request may reach anything else.

use glassine_core::admit::{Admitted, Refusal, Request, admit as decide};
use glassine_core::graph::target::MAX_TARGET;
use glassine_core::graph::{
    Filter, Literal, OptionName, Preference, PropertyPath, QueryOption, Target, option,
};
use glassine_core::rules::plan::{Endpoint, IntegerRange, LinkKind, ValuePolicy};
use glassine_core::sanitize::{LinkRefusal, Links};

use super::shipped::{CONNECTORS, Connector, GRAPH, PROXY, token};
use super::text;

/// What the token in the inputs stands for.
const OPENED: &str = "u1";

/// See the module. The input is a target and, after a line feed, a `Prefer` header. `{id}` stands for a token of this
/// consumer, which a fuzzer cannot guess.
pub fn admit(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (target, prefer) =
        text.split_once('\n').map_or((text, None), |(target, prefer)| (target, Some(prefer)));
    let target = target.replace("{id}", &token(OPENED));
    for connector in CONNECTORS.iter() {
        check(connector, &target, prefer);
    }
}

fn check(connector: &Connector, target: &str, prefer: Option<&str>) {
    let ask = |method| decide(&Request { method, target, prefer, eventual: false }, &connector.policy);
    let response = ask("GET");
    assert_eq!(ask("HEAD").map(Facts::from), response.clone().map(Facts::from));
    assert_eq!(ask("POST").err(), Some(Refusal::Method));
    match response {
        Ok(admitted) => {
            within_the_rules(&admitted);
            admitted_again(connector, &admitted);
            goes_on(connector, &admitted);
        }
        Err(refusal) => assert!((400..500).contains(&refusal.status()), "{refusal}"),
    }
}

/// The parts of an admitted request that are compared.
#[derive(Debug, PartialEq)]
struct Facts {
    endpoint: String,
    upstream: String,
    path: String,
    prefer: Vec<Preference>,
    eventual: bool,
}

impl From<Admitted> for Facts {
    fn from(admitted: Admitted) -> Self {
        let Admitted { endpoint, upstream, path, prefer, eventual, .. } = admitted;
        Self { endpoint: endpoint.name.clone(), upstream, path, prefer, eventual }
    }
}

fn within_the_rules(admitted: &Admitted) {
    let (endpoint, upstream) = (&admitted.endpoint, &admitted.upstream);
    let asked = Target::parse(upstream).unwrap_or_else(|error| panic!("{upstream}: {error}"));
    assert_eq!(asked.canonical(), *upstream);
    assert!(endpoint.template.matches(&asked).is_some(), "{}: {upstream}", endpoint.name);
    for option in &asked.options {
        assert!(is_open(endpoint, option), "{}: {upstream}", endpoint.name);
    }
    let selects = endpoint.response.body().select.as_ref().is_none_or(Vec::is_empty);
    assert!(
        selects || asked.option(&OptionName::Select).is_some() || upstream.contains("/$count"),
        "{upstream}"
    );
    for preference in &admitted.prefer {
        assert!(is_preferred(endpoint, *preference), "{}: {preference}", endpoint.name);
    }
}

/// Whether the rules set this preference or let a consumer set it.
fn is_preferred(endpoint: &Endpoint, preference: Preference) -> bool {
    match preference {
        Preference::ImmutableId => endpoint.immutable_ids,
        Preference::MaxPageSize(size) => is_in(endpoint.max_page_size, size.get()),
        Preference::ReturnMinimal => endpoint.return_minimal,
        Preference::TrackChanges => false,
    }
}

/// Whether the rules open this option with this value.
fn is_open(endpoint: &Endpoint, QueryOption { name, value }: &QueryOption) -> bool {
    let policy = &endpoint.query;
    match name {
        OptionName::Select => selects_only_what_leaves(endpoint, value),
        OptionName::Filter => {
            compares_only(endpoint, &option::filter(value).expect("written by this program"), None)
        }
        OptionName::OrderBy => {
            option::order_by(value).expect("written by this program").iter().all(|(path, by)| {
                policy
                    .order_by
                    .iter()
                    .any(|(own, directions)| *own == path.to_string() && directions.contains(by))
            })
        }
        OptionName::DeltaToken => value == "latest" && endpoint.tracks_from_now(),
        _ => policy
            .value(name)
            .is_some_and(|(own, policy)| own.as_str() == name.as_str() && takes(policy, value)),
    }
}

fn selects_only_what_leaves(endpoint: &Endpoint, value: &str) -> bool {
    let kept = endpoint.response.body().select.as_deref().unwrap_or_default();
    let asked = option::select(value).expect("written by this program");
    asked.iter().all(|path| kept.contains(&path.to_string()))
}

/// `each`: how many names lead to the collection whose elements the filter is about.
fn compares_only(endpoint: &Endpoint, filter: &Filter, each: Option<usize>) -> bool {
    let is_listed = |path: &PropertyPath, op: &str| {
        let mut listed = endpoint.query.filter.iter();
        listed.any(|own| {
            own.property == path.to_string()
                && own.collection == each
                && own.operators.iter().any(|own| own.as_str() == op)
        })
    };
    let all = |parts: &[Filter]| parts.iter().all(|part| compares_only(endpoint, part, each));
    match filter {
        Filter::And(parts) | Filter::Or(parts) => all(parts),
        Filter::Not(part) => each.is_none() && compares_only(endpoint, part, None),
        Filter::Compare { path, op, literal: Literal::Null } => {
            is_listed(path, op.as_str()) || is_listed(path, "present")
        }
        Filter::Compare { path, op, .. } => is_listed(path, op.as_str()),
        Filter::In { path, .. } => is_listed(path, "in"),
        Filter::Any { path, condition: Some(condition) } => {
            compares_only(endpoint, condition, Some(path.segments().len()))
        }
        Filter::Call { .. } | Filter::Any { condition: None, .. } => false,
    }
}

fn takes(policy: &ValuePolicy, value: &str) -> bool {
    match policy {
        ValuePolicy::Boolean => matches!(value, "true" | "false"),
        ValuePolicy::Integer(range) => option::integer(value).is_ok_and(|number| is_in(Some(*range), number)),
        ValuePolicy::OneOf(texts) => texts.iter().any(|text| text == value),
        ValuePolicy::Pattern(pattern) => pattern.is_match(value),
    }
}

fn is_in(range: Option<IntegerRange>, number: u32) -> bool {
    range.is_some_and(|range| (range.min..=range.max).contains(&number))
}

/// Checks the consumer's path with Graph's options: they are the same, but where a token was opened.
fn admitted_again(connector: &Connector, admitted: &Admitted) {
    let query = admitted.upstream.find('?').map_or("", |at| &admitted.upstream[at..]);
    // A raw id can come from a token only: the rules compare no other text.
    let query = query.replace(&format!("%27{OPENED}%27"), &format!("%27{}%27", token(OPENED)));
    let target = format!("{}{query}", admitted.path);
    let prefer = admitted.prefer.iter().map(Preference::to_string).collect::<Vec<_>>().join(", ");
    if target.len() <= MAX_TARGET {
        let request =
            Request { method: "GET", target: &target, prefer: Some(&prefer), eventual: admitted.eventual };
        let again = decide(&request, &connector.policy).map(Facts::from);
        assert_eq!(again, Ok(admitted.clone().into()), "{target}");
    }
}

/// Checks that the consumer can follow Graph's link, which repeats the request with Graph's token.
fn goes_on(connector: &Connector, admitted: &Admitted) {
    let upstream = &admitted.upstream;
    let joint = if upstream.contains('?') { '&' } else { '?' };
    let next = format!("{upstream}{joint}$skiptoken=RFNwdAoAAQ");
    let links = admitted.links(&connector.policy);
    let link = match links.rewrite(&format!("{GRAPH}{next}"), LinkKind::Next) {
        Ok(link) => link,
        Err(refusal) => {
            assert_eq!(refusal, LinkRefusal::TooLong, "{next}");
            return assert!(sealed_length(next.len()) > MAX_TARGET, "{next}");
        }
    };
    let target = link.strip_prefix(PROXY).expect("a link to the proxy");
    let followed = connector.get(target).unwrap_or_else(|refusal| panic!("{next}: {refusal}"));
    assert_eq!((followed.upstream, followed.path), (next, admitted.path.clone()));
}

/// At least the length of a sealed link: four characters of base64url for three octets. The path, the content besides
/// Graph's link and the padding have less than 2,048.
const fn sealed_length(plain: usize) -> usize {
    plain * 4 / 3 + 2048
}
