//! What leaves, against what Graph says about it: its class and its type. The compiled plan is looked at and not the paths
//! as written, so what a stricter rule takes away is not reported.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::automaton::{Described, Effect, Leaf, Location, Step as Place};
use super::super::checked::Shape;
use super::super::codes;
use super::super::comparable::names;
use super::super::plan::{
    Comparator, Disclosure, Endpoint, HEADER_NAME, HEADER_VALUE, Kept, TimeUnit, Transform, Words,
};
use crate::catalogue::{Class, Edm, Property, Step, Walk, members, nearest, type_named, walk};
use crate::diagnostic::Diagnostic;
use crate::graph::Version;

/// Where a line stands in the file, from and to which byte.
type Span = (usize, usize);

/// The lines by which something leaves, each with what it is in Graph.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<Span, Vec<Leaving>>);

/// A property of Graph that leaves by a line.
struct Leaving {
    leaf: Leaf,
    version: Version,
    property: &'static Property,
    /// Whether the elements of a collection leave, and not the collection.
    elements: bool,
}

impl Lines {
    pub(super) fn of(endpoints: &[Option<Endpoint>]) -> Self {
        let mut lines = Self::default();
        for endpoint in endpoints.iter().flatten() {
            let types = endpoint.types();
            for place in endpoint.inside() {
                let Effect::Leaves(leaf) = place.effect else { continue };
                for (version, property) in types.properties(&place.at) {
                    for line in &place.lines {
                        let elements = !matches!(place.at.0.last(), Some(Place::Name(_)));
                        let leaving = Leaving { leaf: leaf.clone(), version, property, elements };
                        lines.0.entry((line.start, line.end)).or_default().push(leaving);
                    }
                }
            }
        }
        lines
    }

    /// What leaves by the line at this place is in Graph; `None` if the catalogue does not know.
    pub(super) fn property(&self, span: &Range<usize>) -> Option<(Version, &'static Property)> {
        let leaving = self.0.get(&(span.start, span.end))?.first()?;
        Some((leaving.version, leaving.property))
    }
}

pub(super) fn check(
    lines: &Lines,
    endpoints: &[Option<Endpoint>],
    shapes: &[Shape],
    findings: &mut Vec<Diagnostic>,
) {
    let rules = shapes.iter().flat_map(|shape| &shape.rules);
    let reviewed = spans(rules.filter(|rule| rule.reviewed).map(|rule| &rule.span));
    // `unlisted: keep` has a warning of its own, which says that everything leaves.
    let unlisted = spans(shapes.iter().filter_map(|shape| shape.unlisted_keep.as_ref()));
    for (span, leaving) in lines.0.iter().filter(|(span, _)| !unlisted.contains(span)) {
        let place = span.0..span.1;
        if !reviewed.contains(span) {
            findings.extend(leaving.iter().find_map(|leaving| leaving.identifies(&place)));
        }
        findings.extend(other_type(leaving, &place));
        findings.extend(other_members(leaving, &place));
    }
    for endpoint in endpoints.iter().flatten() {
        exact_times_beside(endpoint, findings);
        ordered_words(endpoint, findings);
    }
}

fn spans<'a>(places: impl Iterator<Item = &'a Range<usize>>) -> BTreeSet<Span> {
    places.map(|place| (place.start, place.end)).collect()
}

impl Leaving {
    fn identifies(&self, place: &Range<usize>) -> Option<Diagnostic> {
        let (exposure, message) = identifies(self.property, &self.leaf)?;
        let finding = match exposure {
            Exposure::Value => Diagnostic::error(codes::IDENTIFYING, place.clone(), message),
            Exposure::Derived => Diagnostic::warning(codes::DERIVED, place.clone(), message),
        };
        let hint =
            "`pseudonymize` it, or drop it; if a reviewer has agreed, say so: `{ path: …, reviewed: true }`";
        Some(finding.hint(hint))
    }
}

/// How personal data leaves if not as a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// As it is, or in parts.
    Value,
    /// As a length or a domain.
    Derived,
}

/// What is wrong if people write this, or are named by it, and it leaves otherwise than as a token.
pub(crate) fn identifies(property: &Property, leaf: &Leaf) -> Option<(Exposure, String)> {
    let what = match property.class {
        Class::Content => "holds what people write",
        Class::DirectIdentifier => "names a person",
        Class::Secret => "opens something",
        _ => return None,
    };
    let exposure = exposure(leaf)?;
    let how = match exposure {
        Exposure::Value => "leaves otherwise than as a token",
        Exposure::Derived => "something that is computed from it leaves",
    };
    Some((exposure, format!("`{}` {what}, and {how}", property.name)))
}

fn exposure(leaf: &Leaf) -> Option<Exposure> {
    match leaf {
        Leaf::Drop => None,
        Leaf::Keep(_) => Some(Exposure::Value),
        Leaf::Transform(transform) => match transform.disclosure() {
            Disclosure::OpensAgain | Disclosure::OneWay | Disclosure::Link => None,
            Disclosure::Part => Some(Exposure::Value),
            Disclosure::Derived => Some(Exposure::Derived),
        },
    }
}

/// A finding if nothing that leaves by the line can be of the kind that the line keeps.
fn other_type(leaving: &[Leaving], place: &Range<usize>) -> Option<Diagnostic> {
    let first = leaving.first().filter(|_| leaving.iter().all(|it| it.other_than().is_some()))?;
    let property = first.property;
    let message =
        format!("`{}` is {} in Graph, and never {}", property.name, property.edm, first.other_than()?);
    let hint = match (&first.leaf, group(first.version, property)) {
        (Leaf::Keep(_), Some(group)) => format!("put it under `{group}`"),
        (Leaf::Keep(_), None) => "name its properties one by one".to_owned(),
        (Leaf::Drop | Leaf::Transform(_), _) => {
            "of messages, name `$.internetMessageHeaders` or `$.conversationIndex`".to_owned()
        }
    };
    Some(Diagnostic::warning(codes::OTHER_TYPE, place.clone(), message).hint(hint))
}

impl Leaving {
    /// What the line is for, if that can never be here.
    fn other_than(&self) -> Option<Cow<'static, str>> {
        match &self.leaf {
            Leaf::Keep(kept) => (!fits(kept, self.property.edm)).then(|| kept.in_words()),
            Leaf::Transform(Transform::Headers(_)) => {
                (!self.is_list_of_headers()).then(|| "a list of headers".into())
            }
            Leaf::Transform(Transform::ReplyDepth) => {
                (!matches!(self.property.edm, Edm::Binary | Edm::String | Edm::Untyped))
                    .then(|| "a conversation index".into())
            }
            Leaf::Drop | Leaf::Transform(_) => None,
        }
    }

    fn is_list_of_headers(&self) -> bool {
        let of = self.property.object().and_then(|name| type_named(self.version, name));
        let has = |name| {
            let found = of.map(|of| walk(self.version, of, &[Step::Name(name)]));
            matches!(found, Some(Walk::Found { .. } | Walk::Unknown))
        };
        self.property.is_collection && !self.elements && [HEADER_NAME, HEADER_VALUE].into_iter().all(has)
    }
}

fn fits(kept: &Kept, edm: Edm) -> bool {
    match edm {
        Edm::Boolean => matches!(kept, Kept::Boolean | Kept::Text),
        Edm::Number(_) => matches!(kept, Kept::Number | Kept::Text),
        Edm::Date | Edm::DateTimeOffset | Edm::TimeOfDay => matches!(kept, Kept::Time | Kept::Text),
        Edm::Enum(_) | Edm::Duration | Edm::Guid => matches!(kept, Kept::OneOf(_) | Kept::Text),
        // `dateTimeTimeZone.dateTime` is a text for the schema.
        Edm::String => !matches!(kept, Kept::Boolean | Kept::Number),
        Edm::Binary | Edm::Stream => matches!(kept, Kept::Text),
        Edm::Complex(_) | Edm::Navigation(_) => false,
        Edm::Untyped => true,
    }
}

/// The group under `keep` that a property's values belong in; `None` for objects.
pub(super) fn group(version: Version, property: &Property) -> Option<&'static str> {
    Some(match property.edm {
        Edm::Boolean => "booleans",
        Edm::Number(_) => "numbers",
        Edm::Date | Edm::DateTimeOffset | Edm::TimeOfDay => "times",
        Edm::Enum(name) if members(version, name).next().is_some() => "one_of",
        Edm::String if property.name.ends_with("imeZone") => "time_zones",
        Edm::String if property.name.ends_with("dateTime") => "times",
        Edm::Enum(_) | Edm::String | Edm::Guid | Edm::Duration => "one_of",
        Edm::Binary | Edm::Stream | Edm::Untyped => "text",
        Edm::Complex(_) | Edm::Navigation(_) => return None,
    })
}

/// Findings for texts under `one_of` that no enum at the line has.
fn other_members(leaving: &[Leaving], place: &Range<usize>) -> Vec<Diagnostic> {
    let mut words: Option<&Words> = None;
    let mut known = BTreeSet::new();
    for it in leaving {
        match (&it.leaf, it.property.edm) {
            (Leaf::Keep(Kept::OneOf(kept)), Edm::Enum(name)) => {
                words = Some(kept);
                known.extend(members(it.version, name));
            }
            _ => return Vec::new(),
        }
    }
    let unknown = words.into_iter().flat_map(Words::texts).filter(|text| !known.contains(text));
    unknown.map(|text| not_a_member(text, &known, place)).collect()
}

fn not_a_member(text: &str, known: &BTreeSet<&'static str>, place: &Range<usize>) -> Diagnostic {
    let message = format!("Graph never writes `{text}` here");
    let hint = match nearest(text, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!(
            "it writes {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    Diagnostic::warning(codes::NOT_A_MEMBER, place.clone(), message).hint(hint)
}

/// Refuses to sort by a property of which only some values leave, and to compare it by its order: the order would tell where
/// the others stand.
fn ordered_words(endpoint: &Endpoint, findings: &mut Vec<Diagnostic>) {
    let by_order = |operators: &[Comparator]| operators.iter().any(|operator| operator.is_by_order());
    let compared = endpoint.query.filter.iter().filter(|it| by_order(&it.operators));
    let sorted = endpoint.query.order_by.iter().map(|(name, _)| ("$orderby", name));
    for (option, name) in compared.map(|it| ("$filter", &it.property)).chain(sorted) {
        if !has_others(endpoint, name) {
            continue;
        }
        let message =
            format!("`{name}` can have other values than those that leave, and `{option}` tells their order");
        let hint = "compare it with `eq`, `ne` and `in` only, and do not sort by it";
        findings
            .push(Diagnostic::error(codes::OBSERVABLE, endpoint.places.option(option), message).hint(hint));
    }
}

/// Whether Graph may have other values of the property than those that leave.
fn has_others(endpoint: &Endpoint, name: &str) -> bool {
    let reached = endpoint.response.body().reach(name.split('/'));
    let Some(Leaf::Keep(kept)) = reached.map(|reached| reached.leaf) else { return false };
    let types = endpoint.types();
    let is_it = |place: &Described| names(&place.at.0).is_some_and(|names| names.join("/") == name);
    let known: Vec<_> = endpoint
        .inside()
        .filter(is_it)
        .flat_map(|place| types.properties(&place.at))
        .map(|(_, property)| property)
        .collect();
    match kept {
        Kept::Text => false,
        // An enum has no other values than its members.
        Kept::OneOf(_) | Kept::TimeZone(_) => {
            known.is_empty() || !known.iter().all(|property| matches!(property.edm, Edm::Enum(_)))
        }
        Kept::Boolean | Kept::Number | Kept::Time => !known.iter().all(|property| is_always(kept, property)),
    }
}

/// Whether all values of the property are of this kind. Nothing is known of untyped ones.
fn is_always(kept: &Kept, property: &Property) -> bool {
    match property.edm {
        Edm::Untyped => true,
        // `dateTimeTimeZone.dateTime` is a text for the schema.
        Edm::String => *kept == Kept::Time && property.name.ends_with("dateTime"),
        edm => fits(kept, edm),
    }
}

/// Warns of times that are cut while another time of the same object leaves with more of it. Graph sets several of an
/// object's times at once.
fn exact_times_beside(endpoint: &Endpoint, findings: &mut Vec<Diagnostic>) {
    let times: Vec<_> = endpoint.inside().filter_map(|place| Some((grain(&place)?, place))).collect();
    for (own, place) in &times {
        let beside = times.iter().find(|(grain, other)| grain < own && are_siblings(&place.at, &other.at));
        let Some((_, other)) = beside else { continue };
        let message = format!("`{}` leaves with more of the time, and tells what is cut off here", other.at);
        let hint = "truncate both, or drop the other";
        let lines = place.lines.iter().cloned();
        findings.extend(
            lines.map(|line| Diagnostic::warning(codes::EXACT_TIME_BESIDE, line, message.clone()).hint(hint)),
        );
    }
}

/// How much of a time leaves: 0 is all of it.
fn grain(place: &Described) -> Option<u8> {
    match &place.effect {
        Effect::Leaves(Leaf::Keep(Kept::Time)) => Some(0),
        Effect::Leaves(Leaf::Transform(Transform::TruncateTime(unit))) => Some(match unit {
            TimeUnit::Minute => 1,
            TimeUnit::Hour => 2,
            TimeUnit::Day => 3,
        }),
        _ => None,
    }
}

fn are_siblings(one: &Location, other: &Location) -> bool {
    let parent = |at: &Location| at.0.split_last().map(|(_, parent)| parent.to_vec());
    parent(one) == parent(other)
}
