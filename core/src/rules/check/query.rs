//! The query options of an endpoint: which are accepted, and that none reveals a value that does not leave.

use super::super::automaton::{Leaf, NodeId};
use super::super::checked::{Nested, ShapeId};
use super::super::codes;
use super::super::path::Path;
use super::super::plan::{
    Body, Comparator, Expand, IntegerRange, QueryPolicy, Response, Transform, ValuePolicy,
};
use super::super::raw;
use super::endpoints::{Checker, selectable};
use super::regexes::whole_match;
use crate::graph::OptionName;
use crate::yaml::Spanned;

/// OData's options that take one value, in the order in which refusals name them.
const SYSTEM_VALUES: [OptionName; 3] = [OptionName::Top, OptionName::Skip, OptionName::Count];

impl Checker<'_> {
    pub(super) fn query(&mut self, raw: &raw::Query, response: &Response) -> QueryPolicy {
        let mut policy = QueryPolicy::default();
        for (name, value) in &raw.values {
            let Some(value) = &value.0 else { continue };
            self.option(name, value, &mut policy);
        }
        self.filter(raw, response.body(), &mut policy);
        for (property, directions) in raw.order_by.iter().flat_map(|order_by| &order_by.0) {
            if self.observable(property, None, response.body()) {
                policy.order_by.push((property.value.clone(), directions.clone()));
            }
        }
        for (property, expand) in raw.expansions() {
            policy.expand.extend(self.expand(property, expand, response));
        }
        policy
    }

    fn filter(&mut self, raw: &raw::Query, body: &Body, policy: &mut QueryPolicy) {
        for (property, operators) in raw.filter.iter().flat_map(|entries| &entries.0) {
            let operators: Vec<_> = operators
                .0
                .iter()
                .flatten()
                .filter_map(|operator| Some(operator.0.as_ref()?.value))
                .collect();
            if self.observable(property, Some(&operators), body) {
                policy.filter.push((property.value.clone(), operators));
            }
        }
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
        Some(Expand { property: property.value.clone(), select: selectable(&body.automaton, inner), query })
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
                self.error(codes::OPTION, value, "`kept` is for `$select`");
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

    /// Whether an option may name the property, to compare it by these operators or, with `None`, to sort by it. The
    /// property must leave unchanged, or as a token that is compared for equality only, or as a truncated time that is
    /// compared with times of its grid. Otherwise a consumer could find out its value by comparing or sorting.
    fn observable(
        &mut self,
        property: &Spanned<String>,
        operators: Option<&[Comparator]>,
        body: &Body,
    ) -> bool {
        let leaf = body
            .automaton
            .find(body.object(), property.value.split('/'))
            .map_or(Leaf::Drop, |node| node.leaf.clone());
        let only = |allowed: &[Comparator]| {
            operators.is_some_and(|operators| operators.iter().all(|operator| allowed.contains(operator)))
        };
        let (message, hint) = match leaf {
            Leaf::Keep(_) => return true,
            Leaf::Transform(Transform::Reversible(_)) => {
                if only(&[Comparator::Eq, Comparator::Ne, Comparator::In]) {
                    return true;
                }
                ("this property leaves as a token", "a token can be compared with `eq`, `ne` and `in` only")
            }
            Leaf::Transform(Transform::TruncateTime(_)) => {
                if only(&[Comparator::Ge, Comparator::Lt]) {
                    return true;
                }
                let hint =
                    "it can be compared with `ge` and `lt` only: anything else would tell more of the time";
                ("this time leaves truncated", hint)
            }
            Leaf::Drop | Leaf::Transform(_) => (
                "this property does not leave unchanged",
                "the consumer could find out its value by asking; `keep` it, or leave it out here",
            ),
        };
        self.error_hint(codes::OBSERVABLE, property, message, hint);
        false
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
}

fn is_property(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
