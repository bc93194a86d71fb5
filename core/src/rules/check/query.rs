//! The query options of an endpoint: which are accepted, and that none reveals a value that does not leave.

use super::super::automaton::{Leaf, NodeId};
use super::super::checked::{Nested, ShapeId};
use super::super::codes;
use super::super::comparable::{Reached, is_property, operators};
use super::super::known::Types;
use super::super::path::Path;
use super::super::plan::{
    Body, Casts, Comparator, Comparison, Expand, IntegerRange, QueryPolicy, Response, Transform, ValuePolicy,
};
use super::super::raw;
use super::endpoints::{Checker, selectable};
use super::regexes::whole_match;
use super::shapes::present;
use crate::graph::{Direction, OptionName};
use crate::yaml::Spanned;

/// OData's options that take one value, in the order in which refusals name them.
const SYSTEM_VALUES: [OptionName; 3] = [OptionName::Top, OptionName::Skip, OptionName::Count];

impl Checker<'_> {
    pub(super) fn query(&mut self, raw: &raw::Query, response: &Response, types: &Types) -> QueryPolicy {
        let mut policy = QueryPolicy::default();
        for (name, value) in &raw.values {
            let Some(value) = &value.0 else { continue };
            self.option(name, value, &mut policy);
        }
        let body = response.body();
        policy.filter = self.filter(raw, body);
        policy.order_by = self.order_by(raw, body);
        for (property, expand) in raw.expansions() {
            policy.expand.extend(self.expand(property, expand, response, types));
        }
        policy
    }

    fn filter(&mut self, raw: &raw::Query, body: &Body) -> Vec<Comparison> {
        let entries = match &raw.filter {
            None => return Vec::new(),
            Some(raw::Filter::Kept) => return body.comparable(&incomparable(raw, body)),
            Some(raw::Filter::Listed(entries)) => &entries.0,
        };
        let mut all = Vec::new();
        for (property, operators) in entries {
            let operators = operators.0.iter().flat_map(|operators| present(operators));
            let operators: Vec<_> = operators.map(|operator| operator.value).collect();
            let reached = body.reach(property.value.split('/'));
            if self.is_of_the_type(property, body)
                && self.observable(property, Some(&operators), reached.as_ref())
            {
                let collection = reached.and_then(|reached| reached.collection);
                all.push(Comparison { property: property.value.clone(), collection, operators });
            }
        }
        all
    }

    fn order_by(&mut self, raw: &raw::Query, body: &Body) -> Vec<(String, Vec<Direction>)> {
        let both = || vec![Direction::Ascending, Direction::Descending];
        let listed = match &raw.order_by {
            None => return Vec::new(),
            Some(raw::OrderBy::Kept) => {
                return body
                    .sortable(&incomparable(raw, body))
                    .into_iter()
                    .map(|name| (name, both()))
                    .collect();
            }
            Some(raw::OrderBy::Listed(listed)) => listed,
        };
        let mut all = Vec::new();
        for (property, directions) in listed {
            let reached = body.reach(property.value.split('/'));
            if self.is_of_the_type(property, body) && self.observable(property, None, reached.as_ref()) {
                all.push((property.value.clone(), directions.clone()));
            }
        }
        all
    }

    /// The shape of the response's objects, extended by what may be expanded in them: an object, or the elements of an
    /// array.
    pub(super) fn with_expansions(&mut self, shape: ShapeId, raw: &raw::Query) -> ShapeId {
        let Some(mut expanded) = self.shapes.get(shape.0).cloned() else { return shape };
        let before = expanded.nested.len();
        for (property, expand) in raw.expansions() {
            let Some(inner) = self.names.find(&expand.shape, self.findings) else { continue };
            let path = Path::name(&property.value);
            let nested = |path| Nested { path, shape: inner, span: property.span.clone() };
            expanded.nested.extend([nested(path.clone().elements()), nested(path)]);
        }
        if expanded.nested.len() == before {
            return shape;
        }
        self.shapes.push(expanded);
        ShapeId(self.shapes.len() - 1)
    }

    fn expand(
        &mut self,
        property: &Spanned<String>,
        raw: &raw::Expand,
        response: &Response,
        types: &Types,
    ) -> Option<Expand> {
        if matches!(response, Response::Count(_)) {
            let hint = "leave `$expand` out here";
            self.error_hint(codes::OPTION, property, "a number has nothing to expand", hint);
            return None;
        }
        if !is_property(&property.value) {
            let hint = "write it as in `manager`; casts, `$ref` and `$count` cannot be opened";
            self.error_hint(codes::OPTION, property, "only a navigation property can be expanded", hint);
            return None;
        }
        let mut query = QueryPolicy::default();
        for (name, value) in [("$select", &raw.select), ("$top", &raw.top)] {
            if let Some(value) = value {
                self.option(&value.with(name.to_owned()), value, &mut query);
            }
        }
        let body = response.body();
        let inner = body.automaton.child(body.object(), &property.value)?;
        let select = selectable(&body.automaton, inner, false);
        let casts = Casts::of(&types.inside(&property.value), select.as_deref());
        Some(Expand { property: property.value.clone(), select, casts, query })
    }

    fn option(
        &mut self,
        name: &Spanned<String>,
        value: &Spanned<raw::ValuePolicy>,
        policy: &mut QueryPolicy,
    ) {
        let known = OptionName::parse(&name.value).filter(|known| known.as_str() == name.value);
        match (known, &value.value) {
            (Some(OptionName::Select), raw::ValuePolicy::Kept) => policy.select = true,
            (Some(OptionName::Select), _) => self.error(codes::OPTION, value, "`$select` can only be `kept`"),
            (Some(OptionName::Count), raw::ValuePolicy::Boolean)
            | (Some(OptionName::Top | OptionName::Skip), raw::ValuePolicy::Integer(_)) => {
                self.value(name, value, policy);
            }
            (Some(OptionName::Count), _) => self.error(codes::OPTION, value, "`$count` can only be `boolean`"),
            (Some(OptionName::Top | OptionName::Skip), _) => {
                self.error(codes::OPTION, value, "this option takes `integer: { min, max }`");
            }
            (Some(OptionName::Custom(custom)), _) if !custom.starts_with('$') => self.value(name, value, policy),
            (_, _) if name.value.starts_with('$') => self.error_hint(
                codes::OPTION,
                name,
                "this option cannot be opened",
                "the options are `$select`, `$filter`, `$orderby`, `$top`, `$skip`, `$count`, `$expand` and names without `$`",
            ),
            (_, _) => {
                let hint = "OData's own options are written with their `$`";
                self.error_hint(codes::OPTION, name, "this is not the name of a custom option", hint);
            }
        }
    }

    /// An option that takes one value.
    fn value(&mut self, name: &Spanned<String>, value: &Spanned<raw::ValuePolicy>, policy: &mut QueryPolicy) {
        let checked = match &value.value {
            raw::ValuePolicy::Boolean => Some(ValuePolicy::Boolean),
            raw::ValuePolicy::Integer(range) => self.range(&value.with(*range)).map(ValuePolicy::Integer),
            raw::ValuePolicy::OneOf(texts) => {
                Some(ValuePolicy::OneOf(texts.iter().map(|text| text.value.clone()).collect()))
            }
            raw::ValuePolicy::Pattern(pattern) => {
                whole_match(pattern, self.findings).map(ValuePolicy::Pattern)
            }
            raw::ValuePolicy::Kept => {
                self.error(codes::OPTION, value, "`kept` is for `$select`, `$filter` and `$orderby`");
                None
            }
        };
        policy.values.extend(OptionName::parse(&name.value).zip(checked));
        // In one order, whatever the order in the file.
        policy
            .values
            .sort_by_key(|(name, _)| SYSTEM_VALUES.iter().position(|own| own == name).unwrap_or(usize::MAX));
    }

    pub(super) fn range(&mut self, range: &Spanned<IntegerRange>) -> Option<IntegerRange> {
        if range.value.min > range.value.max {
            self.error(codes::RANGE, range, "`min` is over `max`");
            return None;
        }
        Some(range.value)
    }

    /// Whether Graph compares and sorts by the property: it refuses those of derived types.
    fn is_of_the_type(&mut self, property: &Spanned<String>, body: &Body) -> bool {
        let first = property.value.split('/').next();
        let is_derived = body.casts.properties().any(|name| Some(name) == first);
        if is_derived {
            let message = "only some of the objects have this property, those of a derived type: Graph does not compare it";
            self.error_hint(codes::OPTION, property, message, "leave it out here");
        }
        !is_derived
    }

    /// Whether an option may name the property, to compare it by these operators or, with `None`, to sort by it. Otherwise a
    /// consumer could find out by comparing or sorting what it may not read.
    fn observable(
        &mut self,
        property: &Spanned<String>,
        by: Option<&[Comparator]>,
        reached: Option<&Reached<'_>>,
    ) -> bool {
        let (leaf, collection) = reached.map_or((&Leaf::Drop, None), |it| (it.leaf, it.collection));
        let allowed = reached.map(operators).unwrap_or_default();
        let is_kept = matches!(leaf, Leaf::Keep(_));
        let is_allowed = match by {
            // Some texts have an order that tells nothing: `leaving` looks at it.
            Some(by) if is_kept && collection.is_none() => !by.contains(&Comparator::Present),
            Some(by) => !allowed.is_empty() && by.iter().all(|by| allowed.contains(by)),
            None => is_kept && collection.is_none(),
        };
        if is_allowed {
            return true;
        }
        let (message, hint) = unobservable(leaf, collection.is_some(), by.is_some());
        self.error_hint(codes::OBSERVABLE, property, message, hint);
        false
    }
}

/// What `kept` leaves out although it leaves: what is expanded, and properties of derived types. Graph compares neither.
fn incomparable<'a>(raw: &'a raw::Query, body: &'a Body) -> Vec<&'a str> {
    raw.expanded().into_iter().chain(body.casts.properties()).collect()
}

/// Why a property may not be compared, or not in this way, or not be sorted by; and what can be done.
fn unobservable(leaf: &Leaf, in_collection: bool, compares: bool) -> (&'static str, &'static str) {
    let kept = "the consumer could find out its value by asking; `keep` it, or leave it out here";
    match leaf {
        Leaf::Keep(_) if in_collection && compares => (
            "these are values of a collection",
            "`any` compares them, with `eq` and `in`, times and numbers also by order",
        ),
        Leaf::Keep(_) if in_collection => {
            ("a list cannot be sorted by the values of a collection", "leave it out here")
        }
        Leaf::Keep(_) => (
            "`present` is for what leaves as a token",
            "what is kept can be compared by `eq` and `ne` with `null` too",
        ),
        Leaf::Transform(Transform::Reversible(_)) => {
            ("this property leaves as a token", "a token can be compared with `eq`, `ne` and `in` only")
        }
        Leaf::Transform(Transform::TruncateTime(_)) => (
            "this time leaves truncated",
            "it can be compared with `ge` and `lt` only: anything else would tell more of the time",
        ),
        Leaf::Transform(Transform::Headers(_)) => (
            "this is a list of headers, of which only a few leave",
            "read them: they cannot be compared; leave it out here",
        ),
        Leaf::Transform(_) if compares && !in_collection => (
            "this property does not leave unchanged",
            "the consumer could find out its value by asking; `present` asks only whether there is one",
        ),
        Leaf::Drop | Leaf::Transform(_) => ("this property does not leave unchanged", kept),
    }
}

impl Body {
    /// The node of the object that query options are about: a page's element, or the response itself.
    pub fn object(&self) -> NodeId {
        self.automaton.element().unwrap_or(self.automaton.root())
    }
}

impl raw::Query {
    /// The expansions that could be read.
    pub(super) fn expansions(&self) -> impl Iterator<Item = (&Spanned<String>, &raw::Expand)> {
        let entries = self.expand.iter().flat_map(|entries| &entries.0);
        entries.filter_map(|(property, expand)| Some((property, expand.0.as_ref()?)))
    }

    /// The navigation properties that may be expanded.
    pub(super) fn expanded(&self) -> Vec<&str> {
        self.expansions().map(|(property, _)| property.value.as_str()).collect()
    }
}
