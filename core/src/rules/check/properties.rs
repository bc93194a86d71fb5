//! The paths of rules against Graph's types. A path that selects nothing gets a warning and no error: Graph may get the
//! property tomorrow, and until then nothing leaves by it.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::super::automaton::{Location, Step as Place};
use super::super::checked::{Nested, Rule, Shape, ShapeId};
use super::super::codes;
use super::super::path::{Path, Selector};
use super::super::plan::{Endpoint, Transform, Treatment};
use super::super::raw;
use super::shapes::Names;
use crate::catalogue::{Step, Type, Walk, resolve, type_named, walk};
use crate::diagnostic::Diagnostic;
use crate::graph::Version;
use crate::yaml::Recovered;

/// A path with more alternatives than this is not checked.
const MAX_ALTERNATIVES: usize = 256;

/// Reports paths that select nothing in any object that their shapes are used for. One object that has the path is enough:
/// a shape can serve several types and versions.
pub(super) fn check(
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    names: &Names<'_>,
    shapes: &[Shape],
    findings: &mut Vec<Diagnostic>,
) {
    let mut walker =
        Walker { names, shapes, seen: HashSet::new(), pending: Vec::new(), verdicts: BTreeMap::new() };
    for (raw, endpoint) in written.iter().zip(endpoints) {
        if let (Some(raw), Some(endpoint)) = (&raw.0, endpoint) {
            walker.endpoint(raw, endpoint);
        }
    }
    while let Some((shape, objects)) = walker.pending.pop() {
        walker.shape(shape, objects);
    }
    findings.extend(walker.verdicts.into_values().flatten());
}

/// The objects that a shape is used for; `None` if the catalogue does not know their type.
type Objects = Option<(Version, &'static Type)>;

/// Where a path stands in the file, from and to which byte, and the number of one of its alternatives.
type PathId = (usize, usize, usize);

struct Walker<'a> {
    names: &'a Names<'a>,
    shapes: &'a [Shape],
    /// What need not be visited again: shapes may refer to each other in circles.
    seen: HashSet<(ShapeId, Option<(Version, &'static str)>)>,
    /// What is still to visit. A list and no recursion: shapes may nest deeper than the stack.
    pending: Vec<(ShapeId, Objects)>,
    /// What is wrong with each path; `None` as soon as one object has it.
    verdicts: BTreeMap<PathId, Option<Diagnostic>>,
}

impl Walker<'_> {
    fn endpoint(&mut self, raw: &raw::Endpoint, endpoint: &Endpoint) {
        let path = endpoint.path();
        let versions = endpoint.versions().into_iter();
        let known: Vec<_> =
            versions.filter_map(|version| Some((version, resolve(version, &path)?.of))).map(Some).collect();
        for objects in if known.is_empty() { vec![None] } else { known } {
            self.plan(self.names.get(&raw.response.value.shape().value), objects);
            let is_open = |name: &str| endpoint.query.expand.iter().any(|it| it.property == name);
            for (property, expand) in raw.query.expansions().filter(|(name, _)| is_open(&name.value)) {
                let nested = Path::name(&property.value);
                let inner = self.follow(&nested, &property.span, objects, Ends::Anywhere);
                inner.into_iter().for_each(|inner| self.plan(self.names.get(&expand.shape.value), inner));
            }
        }
    }

    fn plan(&mut self, shape: Option<ShapeId>, objects: Objects) {
        let Some(shape) = shape else { return };
        if self.seen.insert((shape, objects.map(|(version, of)| (version, of.name)))) {
            self.pending.push((shape, objects));
        }
    }

    fn shape(&mut self, id: ShapeId, objects: Objects) {
        let Some(shape) = self.shapes.get(id.0) else { return };
        for Rule { path, treatment, span, reviewed: _ } in &shape.rules {
            let ends = match treatment {
                // A list of headers leaves as a whole.
                Treatment::Redact | Treatment::Transform(Transform::Headers(_)) => Ends::Anywhere,
                Treatment::Keep(_) | Treatment::Transform(_) => Ends::AtValues,
            };
            self.follow(path, span, objects, ends);
        }
        for Nested { path, shape, span } in &shape.nested {
            for inner in self.follow(path, span, objects, Ends::AtValues) {
                self.plan(Some(*shape), inner);
            }
        }
    }

    /// Notes what is wrong with the path; the objects that it leads to.
    fn follow(&mut self, path: &Path, span: &Range<usize>, from: Objects, ends: Ends) -> Vec<Objects> {
        let Some(alternatives) = alternatives(path) else { return vec![None] };
        let mut inner = Vec::new();
        for (at, steps) in alternatives.iter().enumerate() {
            let walked = from.map(|(version, of)| (version, of, walk(version, of, steps)));
            let problem = walked.and_then(|(version, of, walked)| {
                Walked { version, of, steps, walk: end(walked, ends) }.described()
            });
            if problem.is_none() {
                inner.push(walked.and_then(|(version, _, walked)| objects(version, &walked)));
            }
            let finding = problem.map(|(message, hint)| {
                Diagnostic::warning(codes::UNKNOWN_PROPERTY, span.clone(), message).hint(hint)
            });
            let verdict = self.verdicts.entry((span.start, span.end, at)).or_insert_with(|| finding.clone());
            if finding.is_none() {
                *verdict = None;
            }
        }
        inner
    }
}

/// Where a path may end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Anywhere,
    /// Not at an array: its elements are what leaves.
    AtValues,
}

/// The walk of a path that must not end at an array.
fn end(walk: Walk, ends: Ends) -> Walk {
    match walk {
        Walk::Found { property, elements: false } if property.is_collection && ends == Ends::AtValues => {
            Walk::NeedsElements { at: usize::MAX }
        }
        walk => walk,
    }
}

fn objects(version: Version, walk: &Walk) -> Objects {
    let Walk::Found { property, .. } = walk else { return None };
    Some((version, type_named(version, property.object()?)?))
}

/// The paths without unions; `None` if the path can lead anywhere.
fn alternatives(path: &Path) -> Option<Vec<Vec<Step<'_>>>> {
    let mut all = vec![Vec::new()];
    for step in path.steps.iter() {
        let next: Option<Vec<_>> = step.selectors.iter().map(one_step).collect();
        let next = next.filter(|next| !step.descend && all.len() * next.len() <= MAX_ALTERNATIVES)?;
        let longer = |steps: Vec<_>| {
            next.iter().map(move |step| [steps.as_slice(), &[*step]].concat()).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    Some(all)
}

fn one_step(selector: &Selector) -> Option<Step<'_>> {
    match selector {
        Selector::Name(name) => Some(Step::Name(name)),
        Selector::Elements | Selector::Slice { .. } => Some(Step::Elements),
        Selector::Everything => None,
    }
}

/// A walk that may have gone wrong.
struct Walked<'a> {
    version: Version,
    of: &'static Type,
    steps: &'a [Step<'a>],
    walk: Walk,
}

impl Walked<'_> {
    /// What is wrong and what to do; `None` if nothing is.
    fn described(&self) -> Option<(String, String)> {
        // `Path::parse` warns about brackets in a name.
        if self.steps.iter().any(|step| matches!(step, Step::Name(name) if name.contains(['[', ']']))) {
            return None;
        }
        let name = self.of.name;
        Some(match self.walk {
            Walk::Found { .. } | Walk::Annotation | Walk::Unknown => return None,
            Walk::Missing { at, nearest } => {
                let hint = nearest.map_or_else(
                    || "this line has no effect: correct it after Graph's reference, or remove it".to_owned(),
                    |nearest| format!("did you mean `{}`?", self.with(at, nearest)),
                );
                (format!("Graph's `{name}` has no `{}`", self.up_to(at + 1)), hint)
            }
            Walk::OtherVersion { at } => {
                let version = self.version.as_str();
                let message = format!("Graph's `{name}` has no `{}` in {version}", self.up_to(at + 1));
                (message, "the other version has it: accept that version, or remove this line".to_owned())
            }
            Walk::NeedsElements { at } => {
                let message = format!("`{}` is a collection", self.up_to(at));
                (message, format!("select its elements: `{}`", self.through_elements(at)))
            }
            Walk::NotACollection { at } => {
                let message = format!("`{}` is not a collection", self.up_to(at));
                (message, format!("leave `[*]` out: `{}`", self.without(at)))
            }
            Walk::Envelope => {
                let inside = self.steps.iter().skip(1).skip_while(|step| **step == Step::Elements);
                let message = "a path starts at the object, not at the page around it".to_owned();
                (message, format!("leave the start out: `{}`", text(inside.copied())))
            }
        })
    }

    fn up_to(&self, at: usize) -> Location {
        text(self.steps.iter().take(at).copied())
    }

    fn with<'s>(&'s self, at: usize, name: &'s str) -> Location {
        let replace = |(place, step)| if place == at { Step::Name(name) } else { step };
        text(self.steps.iter().copied().enumerate().map(replace))
    }

    fn through_elements(&self, at: usize) -> Location {
        let (before, after) = self.steps.split_at(at.min(self.steps.len()));
        text(before.iter().chain(&[Step::Elements]).chain(after).copied())
    }

    fn without(&self, at: usize) -> Location {
        let others = self.steps.iter().enumerate().filter(|(place, _)| *place != at);
        text(others.map(|(_, step)| *step))
    }
}

/// The steps as people write them.
fn text<'s>(steps: impl Iterator<Item = Step<'s>>) -> Location {
    let place = |step| match step {
        Step::Name(name) => Place::Name(name.into()),
        Step::Elements => Place::OtherElements,
    };
    Location(steps.map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::super::compile;

    /// The warnings about the paths of a shape for messages.
    fn warnings(shape: &str) -> Vec<String> {
        warnings_in("v1.0", shape)
    }

    fn warnings_in(versions: &str, shape: &str) -> Vec<String> {
        let file = format!(
            "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [Mail.Read]\nshapes:\n  s: {shape}\n\
             endpoints:\n  - name: e\n    get: '/{{api}}/users/{{user}}/messages'\n    \
             params: {{ api: {{ one_of: [{versions}] }}, user: {{ token: id }} }}\n    response: {{ collection: s }}\n"
        );
        let report = compile("test.yaml", &file).report;
        let found = report.diagnostics.iter().filter(|it| it.code.as_str() == "G0119");
        let texts = found.map(|it| format!("{}; {}", it.message, it.hint.as_deref().unwrap_or_default()));
        assert!(
            report
                .diagnostics
                .iter()
                .all(|it| ["G0119", "G0123", "G0303", "G0306"].contains(&it.code.as_str()))
        );
        texts.collect()
    }

    #[test]
    fn a_warning_names_the_nearest_property() {
        for (path, expected) in [
            (
                "$.recievedDateTime",
                "Graph's `message` has no `$.recievedDateTime`; did you mean `$.receivedDateTime`?",
            ),
            (
                "$.conversationID",
                "Graph's `message` has no `$.conversationID`; did you mean `$.conversationId`?",
            ),
            (
                "$.toRecipients.emailAddress.address",
                "`$.toRecipients` is a collection; select its elements: `$.toRecipients[*].emailAddress.address`",
            ),
            ("$.categories", "`$.categories` is a collection; select its elements: `$.categories[*]`"),
            (
                "$.from[*].emailAddress.address",
                "`$.from` is not a collection; leave `[*]` out: `$.from.emailAddress.address`",
            ),
            (
                "$.value[*].isRead",
                "a path starts at the object, not at the page around it; leave the start out: `$.isRead`",
            ),
            (
                "$.sender.emailAddres.address",
                "Graph's `message` has no `$.sender.emailAddres`; did you mean `$.sender.emailAddress.address`?",
            ),
            (
                "$.unheardOf",
                "Graph's `message` has no `$.unheardOf`; this line has no effect: correct it after Graph's reference, or remove it",
            ),
        ] {
            assert_eq!(warnings(&format!("{{ keep: {{ text: ['{path}'] }} }}")), [expected], "{path}");
        }
        assert_eq!(warnings("{ redact: [$.bodi] }").len(), 1);
        assert_eq!(
            warnings("{ keep: { text: [\"$['isRead','isDraf','subject','x']\"] } }").len(),
            2,
            "each on its own"
        );
    }

    #[test]
    fn paths_that_the_type_has_get_no_warning() {
        for path in [
            "$.receivedDateTime",
            "$.toRecipients[*].emailAddress.address",
            "$.toRecipients[0].emailAddress.address",
            "$[\"@odata.type\"]",
            "$.categories[*]",
            "$.meetingMessageType",
        ] {
            assert_eq!(warnings(&format!("{{ keep: {{ text: ['{path}'] }} }}")), [""; 0], "{path}");
        }
        assert_eq!(warnings("{ redact: [$.toRecipients, $..name, '$.from[*]', $.from] }"), [""; 0]);
    }

    #[test]
    fn a_nested_shape_is_about_what_its_path_leads_to() {
        let nested = |path: &str, kept: &str| {
            format!("{{ nested: [{{ path: '{path}', shape: t }}] }}\n  t: {{ keep: {{ text: ['{kept}'] }} }}")
        };
        assert_eq!(warnings(&nested("$.from", "$.emailAddress.address")), [""; 0]);
        assert_eq!(warnings(&nested("$.toRecipients[*]", "$.emailAddress.address")), [""; 0]);
        assert_eq!(
            warnings(&nested("$.from", "$.emailAddress.adress")),
            ["Graph's `recipient` has no `$.emailAddress.adress`; did you mean `$.emailAddress.address`?"]
        );
        assert_eq!(
            warnings(&nested("$.toRecipients", "$.x")),
            ["`$.toRecipients` is a collection; select its elements: `$.toRecipients[*]`"]
        );
    }

    #[test]
    fn one_version_is_enough() {
        let shape = "{ keep: { text: [$.unsubscribeEnabled] } }";
        assert_eq!(
            warnings_in("v1.0", shape),
            [
                "Graph's `message` has no `$.unsubscribeEnabled` in v1.0; the other version has it: accept that version, or remove this line"
            ]
        );
        assert_eq!(warnings_in("v1.0, beta", shape), [""; 0]);
        assert_eq!(warnings_in("beta", shape), [""; 0]);
    }

    #[test]
    fn a_line_is_good_if_one_of_the_types_has_it() {
        let shape = |kept: &str| {
            format!(
                "{{ nested: [{{ paths: [$.from, $.flag], shape: t }}] }}\n  t: {{ keep: {{ text: [{kept}] }} }}"
            )
        };
        assert_eq!(warnings(&shape("$.flagStatus, $.emailAddress.name")), [""; 0]);
        assert_eq!(warnings(&shape("$.flagStatuss")).len(), 1);
    }
}
