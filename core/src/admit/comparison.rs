//! Checks `$filter` against an endpoint's policy: parses it, checks each term, and writes it anew with opened tokens.

use super::Refusal;
use super::query::{Checker, find, syntax};
use crate::graph::{Filter, Literal, OptionName, PropertyPath, is_time, option};
use crate::rules::automaton::Leaf;
use crate::rules::plan::{Comparator, Kept, TimeUnit, Transform};

impl Checker<'_> {
    pub(super) fn filter(&self, value: &str) -> Result<String, Refusal> {
        let filter = option::filter(value).map_err(|error| syntax(&OptionName::Filter, error))?;
        self.condition(filter).map(|filter| filter.to_string())
    }

    /// The condition for Graph: canonical names, opened tokens.
    fn condition(&self, filter: Filter) -> Result<Filter, Refusal> {
        let all =
            |parts: Vec<Filter>| parts.into_iter().map(|part| self.condition(part)).collect::<Result<_, _>>();
        Ok(match filter {
            Filter::And(parts) => Filter::And(all(parts)?),
            Filter::Or(parts) => Filter::Or(all(parts)?),
            Filter::Not(part) => Filter::Not(Box::new(self.condition(*part)?)),
            Filter::Compare { path, op, literal } => {
                let name = self.compared(&path, Comparator::of(op))?;
                Filter::Compare { path: known(name)?, op, literal: self.literal(name, literal)? }
            }
            Filter::In { path, literals } => {
                let name = self.compared(&path, Some(Comparator::In))?;
                let literals = literals.into_iter().map(|literal| self.literal(name, literal));
                Filter::In { path: known(name)?, literals: literals.collect::<Result<_, _>>()? }
            }
            Filter::Call { .. } | Filter::Any { .. } => return Err(self.refuse_comparison()),
        })
    }

    /// The rules' spelling of the property, if the rules allow this comparison. `by` is `None` for an operator that no
    /// rule can open.
    fn compared(&self, path: &PropertyPath, by: Option<Comparator>) -> Result<&str, Refusal> {
        let allowed = &self.policy.filter;
        let name = find(allowed.iter().map(|(name, _)| name.as_str()), path);
        let entry = allowed.iter().find(|(own, operators)| {
            Some(own.as_str()) == name && by.is_some_and(|by| operators.contains(&by))
        });
        entry.map(|(name, _)| name.as_str()).ok_or_else(|| self.refuse_comparison())
    }

    /// Where the property leaves as a token, the consumer compares with a token, and Graph gets the original. Where it
    /// leaves as a truncated time, the consumer compares with a time of its grid.
    fn literal(&self, name: &str, literal: Literal) -> Result<Literal, Refusal> {
        let body = self.endpoint.response.body();
        let leaf = body.automaton.find(body.object(), name.split('/')).map(|node| &node.leaf);
        match (leaf, self.keys, literal) {
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
        let one = |(name, operators): &(String, Vec<Comparator>)| {
            let operators: Vec<_> = operators.iter().map(|operator| operator.as_str()).collect();
            format!("{name} ({})", operators.join(", "))
        };
        let allowed: Vec<_> = self.policy.filter.iter().map(one).collect();
        self.value(&OptionName::Filter, format!("It compares {}.", allowed.join("; ")))
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
