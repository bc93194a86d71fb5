//! What may be asked of two endpoints for the same paths.

use super::{Difference, Side, Verdict, witness};
use crate::graph::OptionName;
use crate::rules::automaton::Leaf;
use crate::rules::comparable::{Reached, is_sortable, operators};
use crate::rules::plan::{
    Comparator, Endpoint, Expand, IntegerRange, Kept, Param, QueryPolicy, Transform, ValuePolicy,
};

pub(super) fn compare(
    (old, before): (&Side, &Endpoint),
    (side, after): (&Side, &Endpoint),
) -> Vec<Difference> {
    let mut found = Findings { before, after, side, all: Vec::new() };
    for (old, new) in before.params.iter().zip(&after.params) {
        found.param(old, new);
    }
    found.policy(&before.query, &after.query, "");
    found.sizes();
    let counts = |side: &Side, endpoint| side.plan.count_of(endpoint).is_some();
    found.sets("`/$count`", Sets::of_flags(counts(old, before), counts(side, after)), None);
    found.sets("`return=minimal`", Sets::of_flags(before.return_minimal, after.return_minimal), None);
    if before.immutable_ids != after.immutable_ids {
        found.add(Verdict::Neutral, "ids have another form: all of their tokens change".to_owned(), None);
    }
    found.all
}

struct Findings<'a> {
    before: &'a Endpoint,
    after: &'a Endpoint,
    side: &'a Side,
    all: Vec<Difference>,
}

/// What stands behind a collection in [`Comparison::path`](crate::rules::plan::Comparison::path).
const ANY: &str = "any";

/// How two sets of accepted values compare.
enum Sets {
    Equal,
    More,
    Fewer,
    Other,
}

impl Sets {
    fn of(old_within_new: bool, new_within_old: bool) -> Self {
        match (old_within_new, new_within_old) {
            (true, true) => Self::Equal,
            (true, false) => Self::More,
            (false, true) => Self::Fewer,
            (false, false) => Self::Other,
        }
    }

    fn of_lists<T: PartialEq>(old: &[T], new: &[T]) -> Self {
        Self::of(old.iter().all(|it| new.contains(it)), new.iter().all(|it| old.contains(it)))
    }

    fn of_flags(was: bool, is_now: bool) -> Self {
        Self::of(!was || is_now, !is_now || was)
    }
}

impl Findings<'_> {
    fn add(&mut self, verdict: Verdict, what: String, request: Option<String>) {
        self.all.push(Difference {
            old: vec![self.before.places.endpoint.clone()],
            new: vec![self.after.places.endpoint.clone()],
            request,
            ..Difference::new(verdict, Some(self.after), what)
        });
    }

    /// `example`: a query that is accepted now and was not before.
    fn sets(&mut self, what: &str, sets: Sets, example: Option<String>) {
        let request = || example.map(|query| format!("{}?{query}", witness::request(self.side, self.after)));
        match sets {
            Sets::Equal => {}
            Sets::More => self.add(Verdict::Wider, format!("{what} accepts more"), request()),
            Sets::Fewer => self.add(Verdict::Narrower, format!("{what} accepts less"), None),
            Sets::Other => self.add(Verdict::Wider, format!("{what} accepts something else"), request()),
        }
    }

    fn param(&mut self, old: &Param, new: &Param) {
        let within = |one: &Param, other: &Param| {
            let has = |name: &String| other.one_of.iter().any(|it| it.eq_ignore_ascii_case(name));
            let pattern = |param: &Param| param.pattern.as_ref().map(|it| it.as_str().to_owned());
            let patterns = one.pattern.is_none() || pattern(one) == pattern(other);
            let tokens = one.token.is_none() || other.token.is_some();
            other.raw || (one.one_of.iter().all(has) && tokens && !one.raw && patterns)
        };
        let what = format!("the parameter {{{}}}", new.name);
        self.sets(&what, Sets::of(within(old, new), within(new, old)), None);
    }

    fn policy(&mut self, old: &QueryPolicy, new: &QueryPolicy, place: &str) {
        // A consumer that may not select gets all that leaves.
        if old.select != new.select {
            let now = if new.select { "accepted now" } else { "no longer accepted" };
            self.add(Verdict::Neutral, format!("`$select`{place} is {now}"), None);
        }
        let compared = |name: &str, ways: &[Comparator]| self.comparison(name, ways);
        let filters = entries(&comparisons(old), &comparisons(new), compared);
        let orders = entries(&old.order_by, &new.order_by, |name, _| Some(format!("$orderby={name}")));
        for (option, all) in [("$filter", filters), ("$orderby", orders)] {
            for (name, sets, example) in all {
                if self.follows(&name) {
                    continue;
                }
                self.sets(&format!("`{option}`{place} by `{name}`"), sets, example);
            }
        }
        for (name, policy) in &new.values {
            self.value(name, place, old.value(name).map(|(_, policy)| policy), Some(policy));
        }
        for (name, policy) in old.values.iter().filter(|(name, _)| new.value(name).is_none()) {
            self.value(name, place, Some(policy), None);
        }
        self.expansions(&old.expand, &new.expand);
    }

    /// Whether all that may be asked of a property follows from what leaves of it, and that differs: `leaves` tells it.
    fn follows(&self, path: &str) -> bool {
        let names = || path.split('/').filter(|name| *name != ANY);
        let (was, is) =
            (self.before.response.body().reach(names()), self.after.response.body().reach(names()));
        let leaf = |reached: &Option<Reached<'_>>| reached.as_ref().map(|reached| reached.leaf.clone());
        let within = |endpoint: &Endpoint, reached: &Option<Reached<'_>>| {
            let allowed = reached.as_ref().map(operators).unwrap_or_default();
            let own = endpoint.query.filter.iter().filter(|own| own.path() == path);
            let asked = own.flat_map(|own| &own.operators).all(|by| allowed.contains(by));
            let sorts = endpoint.query.order_by.iter().any(|(own, _)| own == path);
            asked && (!sorts || reached.as_ref().is_some_and(is_sortable))
        };
        leaf(&was) != leaf(&is) && within(self.before, &was) && within(self.after, &is)
    }

    /// A comparison by the first operator, with a value that the property could have.
    fn comparison(&self, path: &str, operators: &[Comparator]) -> Option<String> {
        let operator = operators.iter().find(|operator| **operator != Comparator::In)?;
        if *operator == Comparator::Present {
            return Some(format!("$filter={path} ne null"));
        }
        let literal = self.value_of(path)?;
        let names: Vec<_> = path.split('/').collect();
        let by = operator.as_str();
        Some(match names.iter().position(|name| *name == ANY).and_then(|at| names.split_at_checked(at)) {
            Some((collection, [_, inside @ ..])) => {
                let inside = [&["x"], inside].concat().join("/");
                format!("$filter={}/any(x:{inside} {by} {literal})", collection.join("/"))
            }
            _ => format!("$filter={path} {by} {literal}"),
        })
    }

    /// A value that a compared property could have, as `$filter` has it.
    fn value_of(&self, path: &str) -> Option<String> {
        let reached = self.after.response.body().reach(path.split('/').filter(|name| *name != ANY))?;
        Some(match reached.leaf {
            Leaf::Keep(Kept::Time) | Leaf::Transform(Transform::TruncateTime(_)) => {
                "2026-01-01T00:00:00Z".to_owned()
            }
            Leaf::Keep(Kept::Boolean) => "true".to_owned(),
            Leaf::Keep(Kept::Number) => "1".to_owned(),
            Leaf::Keep(Kept::OneOf(words)) => format!("'{}'", words.texts().next()?),
            _ => return None,
        })
    }

    fn value(
        &mut self,
        name: &OptionName,
        place: &str,
        old: Option<&ValuePolicy>,
        new: Option<&ValuePolicy>,
    ) {
        let sets = match (old, new) {
            (None, None) => Sets::Equal,
            (None, Some(_)) => Sets::More,
            (Some(_), None) => Sets::Fewer,
            (Some(ValuePolicy::Boolean), Some(ValuePolicy::Boolean)) => Sets::Equal,
            (Some(ValuePolicy::Integer(old)), Some(ValuePolicy::Integer(new))) => {
                Sets::of(is_within(old, new), is_within(new, old))
            }
            (Some(ValuePolicy::OneOf(old)), Some(ValuePolicy::OneOf(new))) => Sets::of_lists(old, new),
            (Some(ValuePolicy::Pattern(old)), Some(ValuePolicy::Pattern(new)))
                if old.as_str() == new.as_str() =>
            {
                Sets::Equal
            }
            (Some(_), Some(_)) => Sets::Other,
        };
        let example = if place.is_empty() { accepted(old, new) } else { None };
        let example = example.map(|value| format!("{}={value}", name.as_str()));
        self.sets(&format!("`{}`{place}", name.as_str()), sets, example);
    }

    fn expansions(&mut self, old: &[Expand], new: &[Expand]) {
        for Expand { property, query, .. } in new {
            match old.iter().find(|it| it.property == *property) {
                None => {
                    let example = format!("$expand={property}");
                    self.sets(&format!("`$expand` of `{property}`"), Sets::More, Some(example));
                }
                Some(before) => {
                    self.policy(&before.query, query, &format!(" in `$expand` of `{property}`"));
                }
            }
        }
        for Expand { property, .. } in
            old.iter().filter(|it| new.iter().all(|one| one.property != it.property))
        {
            self.sets(&format!("`$expand` of `{property}`"), Sets::Fewer, None);
        }
    }

    fn sizes(&mut self) {
        let (old, new) = (self.before.max_page_size, self.after.max_page_size);
        let within = |one: Option<IntegerRange>, other: Option<IntegerRange>| match (one, other) {
            (None, _) => true,
            (Some(one), Some(other)) => is_within(&one, &other),
            (Some(_), None) => false,
        };
        self.sets("`odata.maxpagesize`", Sets::of(within(old, new), within(new, old)), None);
    }
}

fn comparisons(policy: &QueryPolicy) -> Vec<(String, Vec<Comparator>)> {
    policy.filter.iter().map(|it| (it.path(), it.operators.clone())).collect()
}

/// How properties compare, each with what may be done with it. `example` makes a query from what is new.
fn entries<T: PartialEq + Clone>(
    old: &[(String, Vec<T>)],
    new: &[(String, Vec<T>)],
    example: impl Fn(&str, &[T]) -> Option<String>,
) -> Vec<(String, Sets, Option<String>)> {
    let find = |all: &[(String, Vec<T>)], name: &str| {
        all.iter().find(|(own, _)| own == name).map(|(_, ways)| ways.clone())
    };
    let mut all = Vec::new();
    for (name, after) in new {
        let before = find(old, name).unwrap_or_default();
        let more: Vec<_> = after.iter().filter(|way| !before.contains(way)).cloned().collect();
        all.push((name.clone(), Sets::of_lists(&before, after), example(name, &more)));
    }
    for (name, _) in old.iter().filter(|(name, _)| find(new, name).is_none()) {
        all.push((name.clone(), Sets::Fewer, None));
    }
    all
}

/// A value that only the new policy accepts.
fn accepted(old: Option<&ValuePolicy>, new: Option<&ValuePolicy>) -> Option<String> {
    match (old, new?) {
        (_, ValuePolicy::Boolean) => Some("true".to_owned()),
        (Some(ValuePolicy::Integer(old)), ValuePolicy::Integer(new)) => {
            Some(if new.max > old.max { new.max } else { new.min }.to_string())
        }
        (_, ValuePolicy::Integer(new)) => Some(new.max.to_string()),
        (Some(ValuePolicy::OneOf(old)), ValuePolicy::OneOf(new)) => {
            new.iter().find(|text| !old.contains(text)).cloned()
        }
        (_, ValuePolicy::OneOf(new)) => new.first().cloned(),
        (_, ValuePolicy::Pattern(_)) => None,
    }
}

fn is_within(one: &IntegerRange, other: &IntegerRange) -> bool {
    other.min <= one.min && one.max <= other.max
}
