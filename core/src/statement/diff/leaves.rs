//! What leaves of two responses, place by place: a walk through both automata at once.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::{Difference, Side, Verdict, witness};
use crate::rules::automaton::{Automaton, Leaf, Location, NodeId, Step};
use crate::rules::plan::{Endpoint, Kept, Response, TimeUnit, Transform};

pub(super) fn compare(
    (old, before): (&Side, &Arc<Endpoint>),
    (new, after): (&Side, &Arc<Endpoint>),
) -> Vec<Difference> {
    if kind(&before.response) != kind(&after.response) {
        let what =
            format!("the response is {} now, and was {}", kind(&after.response), kind(&before.response));
        let witness = witness::of_endpoint(new, after);
        return vec![Difference { witness, ..Difference::new(Verdict::Wider, Some(after), what) }];
    }
    let (one, other) = (&before.response.body().automaton, &after.response.body().automaton);
    let mut walk = Walk { old: one, new: other, seen: HashSet::new(), found: Vec::new() };
    walk.visit(Some(one.root()), Some(other.root()), &Location::default());
    let (old_lines, new_lines) = (lines(one), lines(other));
    let found = walk.found.into_iter();
    found
        .map(|Found { verdict, at, what }| Difference {
            old: old_lines.get(&at).cloned().unwrap_or_default(),
            new: new_lines.get(&at).cloned().unwrap_or_default(),
            witness: (verdict == Verdict::Wider)
                .then(|| witness::of_place((old, before), (new, after), &at))
                .flatten(),
            ..Difference::new(verdict, Some(after), what)
        })
        .collect()
}

fn kind(response: &Response) -> &'static str {
    match response {
        Response::Count(_) => "a number",
        Response::Json(body) if body.delta => "a page of changes",
        Response::Json(body) if body.automaton.page().is_some() => "a page",
        Response::Json(body) if body.property.is_some() => "a property",
        Response::Json(_) => "an object",
    }
}

fn lines(automaton: &Automaton) -> BTreeMap<Location, Vec<Range<usize>>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for place in automaton.describe() {
        all.entry(place.at).or_default().extend(place.lines);
    }
    all
}

struct Found {
    verdict: Verdict,
    at: Location,
    what: String,
}

struct Walk<'a> {
    old: &'a Automaton,
    new: &'a Automaton,
    /// Pairs of nodes that were compared: shapes may refer to each other in circles.
    seen: HashSet<(Option<usize>, Option<usize>)>,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn visit(&mut self, old: Option<NodeId>, new: Option<NodeId>, at: &Location) {
        let numbers = (old.map(NodeId::index), new.map(NodeId::index));
        if numbers == (None, None) || !self.seen.insert(numbers) {
            return;
        }
        self.leaf(old, new, at);
        self.container(old, new, at);
        for (step, old, new) in self.children(old, new) {
            self.visit(old, new, &at.child(step));
        }
    }

    fn leaf(&mut self, old: Option<NodeId>, new: Option<NodeId>, at: &Location) {
        let (old, new) = (leaf(self.old, old), leaf(self.new, new));
        if old == new {
            return;
        }
        let verdict = if at_most(new, old) { Verdict::Narrower } else { Verdict::Wider };
        let what = format!("{at}: {} now, {} before", leaves(new), leaves(old));
        self.found.push(Found { verdict, at: at.clone(), what });
    }

    /// Whether an object or array is written tells that it is there.
    fn container(&mut self, old: Option<NodeId>, new: Option<NodeId>, at: &Location) {
        let (old, new) = (written(self.old, old), written(self.new, new));
        for (is_now, was, what) in [(new.0, old.0, "object"), (new.1, old.1, "array")] {
            let verdict = match (was, is_now) {
                (false, true) => Verdict::Wider,
                (true, false) => Verdict::Narrower,
                _ => continue,
            };
            let now = if is_now { "is written now, perhaps empty" } else { "is no longer written" };
            self.found.push(Found { verdict, at: at.clone(), what: format!("{at}: an {what} {now}") });
        }
    }

    /// Where each step leads in both.
    fn children(
        &self,
        old: Option<NodeId>,
        new: Option<NodeId>,
    ) -> Vec<(Step, Option<NodeId>, Option<NodeId>)> {
        let mut steps: Vec<_> = names(self.old, old).chain(names(self.new, new)).map(Step::Name).collect();
        steps.sort();
        steps.dedup();
        steps.push(Step::OtherNames);
        let first = first(self.old, old).max(first(self.new, new));
        steps.extend((0..first).map(Step::Index));
        steps.push(Step::OtherElements);
        let both = steps.into_iter().map(|step| {
            let (old, new) = (child(self.old, old, &step), child(self.new, new, &step));
            (step, old, new)
        });
        both.collect()
    }
}

fn leaf(automaton: &Automaton, at: Option<NodeId>) -> &Leaf {
    at.map_or(&Leaf::Drop, |at| &automaton.node(at).leaf)
}

/// Whether an object, and an array, is written.
fn written(automaton: &Automaton, at: Option<NodeId>) -> (bool, bool) {
    at.map(|at| automaton.node(at))
        .map_or((false, false), |node| (node.object.is_some(), node.array.is_some()))
}

fn names(automaton: &Automaton, at: Option<NodeId>) -> impl Iterator<Item = Box<str>> {
    let object = at.and_then(|at| automaton.node(at).object.as_ref());
    object.into_iter().flat_map(|object| object.members()).map(|member| member.name.clone())
}

fn first(automaton: &Automaton, at: Option<NodeId>) -> u32 {
    let array = at.and_then(|at| automaton.node(at).array.as_ref());
    array.map_or(0, |array| u32::try_from(array.distinct()).unwrap_or(u32::MAX))
}

fn child(automaton: &Automaton, at: Option<NodeId>, step: &Step) -> Option<NodeId> {
    let node = automaton.node(at?);
    match step {
        Step::Name(name) => {
            let object = node.object.as_ref()?;
            object.member(name).map_or(object.other(), |(_, member)| member.node)
        }
        Step::OtherNames => node.object.as_ref()?.other(),
        Step::Index(index) => node.array.as_ref()?.element(u64::from(*index)),
        Step::OtherElements => node.array.as_ref()?.element(u64::MAX),
    }
}

fn leaves(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Drop => "nothing leaves".to_owned(),
        leaf => leaf.to_string(),
    }
}

/// Whether whoever sees what leaves by `more` knows all that leaves by `less`. When in doubt: no.
fn at_most(less: &Leaf, more: &Leaf) -> bool {
    match (less, more) {
        (Leaf::Drop, _) => true,
        (less, more) if less == more => true,
        (Leaf::Keep(_), Leaf::Keep(Kept::Text)) => true,
        (Leaf::Keep(Kept::OneOf(less)), Leaf::Keep(Kept::OneOf(more))) => {
            less.texts().all(|text| more.find(text).is_some())
        }
        (Leaf::Transform(Transform::TruncateTime(_)), Leaf::Keep(Kept::Time | Kept::Text))
        | (Leaf::Transform(Transform::Digest | Transform::ReplyDepth), Leaf::Keep(Kept::Text)) => true,
        (Leaf::Transform(Transform::TruncateTime(less)), Leaf::Transform(Transform::TruncateTime(more))) => {
            grain(*less) >= grain(*more)
        }
        (Leaf::Transform(Transform::Headers(less)), Leaf::Transform(Transform::Headers(more))) => {
            less.is_within(more)
        }
        _ => false,
    }
}

fn grain(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Minute => 0,
        TimeUnit::Hour => 1,
        TimeUnit::Day => 2,
    }
}
