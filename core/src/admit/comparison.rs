//! Checks `$filter` against an endpoint's policy: parses it, checks each term, and writes it anew with opened tokens.

use super::Refusal;
use super::query::{Checker, is_spelled, syntax};
use crate::graph::{Filter, Literal, Operator, OptionName, PropertyPath, is_time, option};
use crate::rules::automaton::Leaf;
use crate::rules::comparable::with_ways;
use crate::rules::plan::{Comparator, Comparison, Kept, TimeUnit, Transform};

impl Checker<'_> {
    pub(super) fn filter(&self, value: &str) -> Result<String, Refusal> {
        let filter = option::filter(value).map_err(|error| syntax(&OptionName::Filter, error))?;
        self.condition(filter, None).map(|filter| filter.to_string())
    }

    /// The condition for Graph: canonical names, opened tokens. `each`: the collection whose elements it is about.
    fn condition(&self, filter: Filter, each: Option<&PropertyPath>) -> Result<Filter, Refusal> {
        let all = |parts: Vec<Filter>| {
            parts.into_iter().map(|part| self.condition(part, each)).collect::<Result<_, _>>()
        };
        Ok(match filter {
            Filter::And(parts) => Filter::And(all(parts)?),
            Filter::Or(parts) => Filter::Or(all(parts)?),
            // Inside `any`, `not` would tell of elements that do not leave.
            Filter::Not(part) if each.is_none() => Filter::Not(Box::new(self.condition(*part, None)?)),
            Filter::Compare { path, op, literal } => {
                let compared = self.compared(&path, each, |by| compares(by, op, &literal))?;
                let literal = self.literal(&compared.property, literal)?;
                Filter::Compare { path: known(&compared.property)?, op, literal }
            }
            Filter::In { path, literals } => {
                let compared = self.compared(&path, each, |by| by == Comparator::In)?;
                let literals = literals.into_iter().map(|literal| self.literal(&compared.property, literal));
                Filter::In { path: known(&compared.property)?, literals: literals.collect::<Result<_, _>>()? }
            }
            Filter::Any { path, condition: Some(condition) } => {
                let path = self.collection(&path)?;
                let condition = Some(Box::new(self.condition(*condition, Some(&path))?));
                Filter::Any { path, condition }
            }
            Filter::Not(_) | Filter::Any { condition: None, .. } | Filter::Call { .. } => {
                return Err(self.refuse_comparison());
            }
        })
    }

    /// The rules' comparison of the property, if they open it in this way.
    fn compared(
        &self,
        path: &PropertyPath,
        each: Option<&PropertyPath>,
        is_asked: impl Fn(Comparator) -> bool,
    ) -> Result<&Comparison, Refusal> {
        let place = each.map(|collection| collection.segments().len());
        let is_it = |own: &&Comparison| {
            own.collection == place
                && is_spelled(&own.property, path)
                && own.operators.iter().any(|by| is_asked(*by))
        };
        self.policy.filter.iter().find(is_it).ok_or_else(|| self.refuse_comparison())
    }

    /// The rules' spelling of a collection whose elements they compare.
    fn collection(&self, path: &PropertyPath) -> Result<PropertyPath, Refusal> {
        let collections = self.policy.filter.iter().filter_map(|own| {
            let names: Vec<_> = own.property.split('/').take(own.collection?).collect();
            Some(names.join("/"))
        });
        let mut named = collections.filter(|name| is_spelled(name, path));
        known(&named.next().ok_or_else(|| self.refuse_comparison())?)
    }

    /// Where the property leaves as a token, the consumer compares with a token, and Graph gets the original. Where it
    /// leaves as a truncated time, the consumer compares with a time of its grid.
    fn literal(&self, name: &str, literal: Literal) -> Result<Literal, Refusal> {
        let reached = self.endpoint.response.body().reach(name.split('/'));
        match (reached.map(|reached| reached.leaf), self.keys, literal) {
            (Some(Leaf::Transform(_)), Some(_), Literal::Null) => Ok(Literal::Null),
            (Some(Leaf::Transform(Transform::Reversible(class))), Some(keys), Literal::String(token)) => {
                let original = keys.open(*class, &token).ok_or(Refusal::NotFound)?;
                Ok(Literal::String(original.to_string()))
            }
            (Some(Leaf::Transform(Transform::TruncateTime(unit))), Some(_), literal) => {
                let is_on_grid =
                    matches!(&literal, Literal::DateTimeOffset(instant) if unit.has_on_grid(instant));
                if is_on_grid { Ok(literal) } else { Err(self.refuse_off_grid(name, *unit)) }
            }
            (Some(Leaf::Transform(_)), Some(_), _) => Err(Refusal::NotFound),
            (Some(Leaf::Keep(kept)), Some(_), literal) if !can_be(kept, &literal) => {
                Err(self
                    .value(&OptionName::Filter, format!("`{name}` is compared with {}.", kept.in_words())))
            }
            (_, _, literal) => Ok(literal),
        }
    }

    fn refuse_off_grid(&self, name: &str, unit: TimeUnit) -> Refusal {
        let accepted = format!(
            "It compares {name} with whole {}s in UTC only, such as {}.",
            unit.name(),
            unit.example()
        );
        self.value(&OptionName::Filter, accepted)
    }

    fn refuse_comparison(&self) -> Refusal {
        let allowed = with_ways(self.policy.filter.iter().map(|own| (own.path(), own.operators())));
        self.value(&OptionName::Filter, format!("It compares {allowed}."))
    }
}

/// Whether the rules' operator opens this comparison. Nothing comes before or after `null`.
fn compares(by: Comparator, op: Operator, literal: &Literal) -> bool {
    let is_null = *literal == Literal::Null;
    match by {
        Comparator::Present => is_null && matches!(op, Operator::Eq | Operator::Ne),
        by => Comparator::of(op) == Some(by) && !(is_null && by.is_by_order()),
    }
}

/// Whether a value that leaves could be this. A comparison with anything else would ask for what does not leave.
fn can_be(kept: &Kept, literal: &Literal) -> bool {
    match (kept, literal) {
        (Kept::Text, _) | (_, Literal::Null) | (Kept::Boolean, Literal::Boolean(_)) => true,
        (Kept::Time, Literal::Date(_) | Literal::DateTimeOffset(_)) => true,
        (Kept::Number, Literal::Number(_)) => true,
        (Kept::Time, Literal::String(text)) => is_time(text),
        (Kept::OneOf(words), Literal::String(text) | Literal::Enum { value: text, .. }) => {
            words.find(text).is_some()
        }
        (Kept::TimeZone(words), Literal::String(text)) => words.find(text).is_some(),
        _ => false,
    }
}

fn known(name: &str) -> Result<PropertyPath, Refusal> {
    PropertyPath::parse(name).map_err(|error| syntax(&OptionName::Filter, error))
}
