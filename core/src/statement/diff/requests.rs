//! What may be asked of two endpoints for the same paths.

use super::{Difference, Verdict};
use crate::rules::plan::{Endpoint, Expand, IntegerRange, Param, QueryPolicy, ValuePolicy};

pub(super) fn compare(before: &Endpoint, after: &Endpoint) -> Vec<Difference> {
    let mut found = Findings { before, after, all: Vec::new() };
    for (old, new) in before.params.iter().zip(&after.params) {
        found.param(old, new);
    }
    found.policy(&before.query, &after.query, "");
    found.sizes();
    found.flag("`return=minimal`", before.return_minimal, after.return_minimal);
    if before.immutable_ids != after.immutable_ids {
        found.add(Verdict::Neutral, "ids have another form: all of their tokens change".to_owned());
    }
    found.all
}

struct Findings<'a> {
    before: &'a Endpoint,
    after: &'a Endpoint,
    all: Vec<Difference>,
}

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
}

impl Findings<'_> {
    fn add(&mut self, verdict: Verdict, what: String) {
        self.all.push(Difference {
            old: vec![self.before.places.endpoint.clone()],
            new: vec![self.after.places.endpoint.clone()],
            ..Difference::new(verdict, Some(self.after), what)
        });
    }

    fn sets(&mut self, what: &str, sets: Sets) {
        match sets {
            Sets::Equal => {}
            Sets::More => self.add(Verdict::Wider, format!("{what} accepts more")),
            Sets::Fewer => self.add(Verdict::Narrower, format!("{what} accepts less")),
            Sets::Other => self.add(Verdict::Wider, format!("{what} accepts something else")),
        }
    }

    fn flag(&mut self, what: &str, was: bool, is_now: bool) {
        self.sets(what, Sets::of(!was || is_now, !is_now || was));
    }

    fn param(&mut self, old: &Param, new: &Param) {
        let within = |one: &Param, other: &Param| {
            let names =
                one.one_of.iter().all(|name| other.one_of.iter().any(|it| it.eq_ignore_ascii_case(name)));
            let pattern = |param: &Param| param.pattern.as_ref().map(|it| it.as_str().to_owned());
            let patterns = one.pattern.is_none() || pattern(one) == pattern(other);
            other.raw || (names && (one.token.is_none() || other.token.is_some()) && !one.raw && patterns)
        };
        self.sets(&format!("the parameter {{{}}}", new.name), Sets::of(within(old, new), within(new, old)));
    }

    fn policy(&mut self, old: &QueryPolicy, new: &QueryPolicy, place: &str) {
        // A consumer that may not select gets all that leaves.
        if old.select != new.select {
            self.add(Verdict::Neutral, format!("`$select`{place} is {}", open(new.select)));
        }
        self.entries("$filter", place, &old.filter, &new.filter);
        self.entries("$orderby", place, &old.order_by, &new.order_by);
        for (name, policy) in &new.values {
            let before = old.value(name).map(|(_, policy)| policy);
            self.value(&format!("`{}`{place}", name.as_str()), before, Some(policy));
        }
        for (name, policy) in old.values.iter().filter(|(name, _)| new.value(name).is_none()) {
            self.value(&format!("`{}`{place}", name.as_str()), Some(policy), None);
        }
        self.expansions(&old.expand, &new.expand);
    }

    /// Properties, each with what may be done with it.
    fn entries<T: PartialEq>(
        &mut self,
        option: &str,
        place: &str,
        old: &[(String, Vec<T>)],
        new: &[(String, Vec<T>)],
    ) {
        let find = |all: &'_ [(String, Vec<T>)], name: &str| all.iter().position(|(own, _)| own == name);
        for (name, after) in new {
            let before = find(old, name).and_then(|at| old.get(at)).map_or([].as_slice(), |(_, ways)| ways);
            self.sets(&format!("`{option}`{place} by `{name}`"), Sets::of_lists(before, after));
        }
        for (name, _) in old.iter().filter(|(name, _)| find(new, name).is_none()) {
            self.sets(&format!("`{option}`{place} by `{name}`"), Sets::Fewer);
        }
    }

    fn value(&mut self, what: &str, old: Option<&ValuePolicy>, new: Option<&ValuePolicy>) {
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
        self.sets(what, sets);
    }

    fn expansions(&mut self, old: &[Expand], new: &[Expand]) {
        for Expand { property, query, .. } in new {
            match old.iter().find(|it| it.property == *property) {
                None => self.sets(&format!("`$expand` of `{property}`"), Sets::More),
                Some(before) => {
                    self.policy(&before.query, query, &format!(" in `$expand` of `{property}`"));
                }
            }
        }
        for Expand { property, .. } in
            old.iter().filter(|it| new.iter().all(|one| one.property != it.property))
        {
            self.sets(&format!("`$expand` of `{property}`"), Sets::Fewer);
        }
    }

    fn sizes(&mut self) {
        let (old, new) = (self.before.max_page_size, self.after.max_page_size);
        let within = |one: Option<IntegerRange>, other: Option<IntegerRange>| match (one, other) {
            (None, _) => true,
            (Some(one), Some(other)) => is_within(&one, &other),
            (Some(_), None) => false,
        };
        self.sets("`odata.maxpagesize`", Sets::of(within(old, new), within(new, old)));
    }
}

fn open(is_open: bool) -> &'static str {
    if is_open { "accepted now" } else { "no longer accepted" }
}

fn is_within(one: &IntegerRange, other: &IntegerRange) -> bool {
    other.min <= one.min && one.max <= other.max
}
