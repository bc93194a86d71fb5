//! Query options against an endpoint's policy. Options are parsed as OData and written anew; what a rule does not name
//! is refused, and `$select` is always sent, so that hidden properties are not even fetched.

use super::{Keys, Refusal};
use crate::graph::{
    Direction, Filter, Literal, OptionError, OptionName, PropertyPath, Target, Version, option, schema,
};
use crate::rules::automaton::Leaf;
use crate::rules::plan::{Endpoint, IntegerRange, Operator, Transform, ValuePolicy};
use crate::rules::template::Part;

/// The options for Graph.
pub(super) fn admit(
    target: &Target,
    endpoint: &Endpoint,
    keys: &dyn Keys,
) -> Result<Vec<(String, String)>, Refusal> {
    let checker = Checker { endpoint, version: target.version, keys: Some(keys) };
    let mut options = checker.options(target)?;
    if target.option(&OptionName::Select).is_none() {
        options.extend(checker.whole_select().map(|names| (OptionName::Select.as_str().to_owned(), names)));
    }
    Ok(options)
}

/// Whether Graph's own link stays within the policy. Values are Graph's, so comparisons hold originals, not tokens.
pub(super) fn readmit(target: &Target, endpoint: &Endpoint) -> Result<(), Refusal> {
    let checker = Checker { endpoint, version: target.version, keys: None };
    let opaque = |name: &OptionName| matches!(name, OptionName::SkipToken | OptionName::DeltaToken);
    for option in target.options.iter().filter(|option| !opaque(&option.name)) {
        match &option.name {
            // Graph pages by `$skip` whether or not the consumer may.
            OptionName::Skip | OptionName::Top => drop(option::integer(&option.value)),
            OptionName::Select => checker.graph_select(&option.value)?,
            name => drop(checker.option(name, &option.value)?),
        }
    }
    Ok(())
}

struct Checker<'a> {
    endpoint: &'a Endpoint,
    version: Version,
    /// Opens the tokens that a consumer compares with; `None` for Graph's own links.
    keys: Option<&'a dyn Keys>,
}

impl Checker<'_> {
    fn options(&self, target: &Target) -> Result<Vec<(String, String)>, Refusal> {
        target.options.iter().map(|option| self.option(&option.name, &option.value)).collect()
    }

    fn option(&self, name: &OptionName, value: &str) -> Result<(String, String), Refusal> {
        let policy = &self.endpoint.query;
        let value = match name {
            OptionName::Select if policy.select => self.select(value)?,
            OptionName::Top if policy.top.is_some() => self.integer(name, value, policy.top)?,
            OptionName::Skip if policy.skip.is_some() => self.integer(name, value, policy.skip)?,
            OptionName::Count if policy.count => self.boolean(name, value)?,
            OptionName::Filter if !policy.filter.is_empty() => self.filter(value)?,
            OptionName::OrderBy if !policy.order_by.is_empty() => self.order_by(value)?,
            OptionName::Custom(name) => return self.custom(name, value),
            _ => return Err(self.refuse(name)),
        };
        Ok((name.as_str().to_owned(), value))
    }

    fn refuse(&self, name: &OptionName) -> Refusal {
        // A name that is not OData's is the consumer's text, and texts of requests are not repeated.
        let option = match name {
            OptionName::Custom(_) => "this query option".to_owned(),
            known => format!("`{}`", known.as_str()),
        };
        Refusal::Option { option, endpoint: self.endpoint.name.clone(), accepted: self.accepted() }
    }

    fn accepted(&self) -> String {
        let policy = &self.endpoint.query;
        let known = [
            ("$select", policy.select),
            ("$top", policy.top.is_some()),
            ("$skip", policy.skip.is_some()),
            ("$count", policy.count),
            ("$filter", !policy.filter.is_empty()),
            ("$orderby", !policy.order_by.is_empty()),
        ];
        let known = known.iter().filter(|(_, open)| *open).map(|(name, _)| *name);
        let names: Vec<_> = known.chain(policy.custom.iter().map(|(name, _)| name.as_str())).collect();
        if names.is_empty() {
            "It accepts none.".to_owned()
        } else {
            format!("It accepts {}.", names.join(", "))
        }
    }

    fn value(&self, name: &OptionName, accepted: String) -> Refusal {
        let option = format!("`{}`", name.as_str());
        Refusal::OptionValue { option, endpoint: self.endpoint.name.clone(), accepted }
    }

    fn integer(
        &self,
        name: &OptionName,
        value: &str,
        range: Option<IntegerRange>,
    ) -> Result<String, Refusal> {
        let number = option::integer(value).map_err(|error| syntax(name, error))?;
        match range {
            Some(range) if (range.min..=range.max).contains(&number) => Ok(number.to_string()),
            Some(range) => Err(self.value(name, format!("It accepts {} to {}.", range.min, range.max))),
            None => Err(self.refuse(name)),
        }
    }

    fn boolean(&self, name: &OptionName, value: &str) -> Result<String, Refusal> {
        option::boolean(value).map(|value| value.to_string()).map_err(|error| syntax(name, error))
    }

    /// The names that can survive. Without one, the id, which every entity has and Graph sends anyway.
    fn select(&self, value: &str) -> Result<String, Refusal> {
        let asked = option::select(value).map_err(|error| syntax(&OptionName::Select, error))?;
        let Some(kept) = &self.endpoint.response.body().select else {
            return Ok(join(&asked));
        };
        let is_asked = |name: &&String| {
            asked
                .iter()
                .filter_map(|path| path.segments().first())
                .any(|asked| asked.eq_ignore_ascii_case(name))
        };
        let mut names: Vec<_> = kept.iter().filter(is_asked).filter(|name| self.can_select(name)).collect();
        if names.is_empty() {
            names = kept.iter().filter(|name| *name == "id").collect();
        }
        if names.is_empty() {
            names = kept.iter().filter(|name| self.can_select(name)).collect();
        }
        Ok(names.into_iter().map(String::as_str).collect::<Vec<_>>().join(","))
    }

    /// Everything that can survive, if that is a list.
    fn whole_select(&self) -> Option<String> {
        let kept = self.endpoint.response.body().select.as_ref()?;
        let names: Vec<_> = kept.iter().filter(|name| self.can_select(name)).map(String::as_str).collect();
        (!names.is_empty() && !self.counts()).then(|| names.join(","))
    }

    fn counts(&self) -> bool {
        self.endpoint.template.parts.contains(&Part::Count)
    }

    fn can_select(&self, name: &str) -> bool {
        let resource = self.endpoint.template.parts.iter().rev().find_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Param(_) | Part::Function(_) | Part::Cast(_) | Part::Count => None,
        });
        schema::can_select(self.version, resource.unwrap_or_default(), name)
    }

    /// Graph's links repeat the `$select` that they were made with.
    fn graph_select(&self, value: &str) -> Result<(), Refusal> {
        let asked = option::select(value).map_err(|error| syntax(&OptionName::Select, error))?;
        let Some(kept) = &self.endpoint.response.body().select else {
            return Ok(());
        };
        let known = |path: &PropertyPath| {
            path.segments()
                .first()
                .is_some_and(|name| kept.iter().any(|kept| kept.eq_ignore_ascii_case(name)))
        };
        if asked.iter().all(known) { Ok(()) } else { Err(self.refuse(&OptionName::Select)) }
    }

    fn order_by(&self, value: &str) -> Result<String, Refusal> {
        let items = option::order_by(value).map_err(|error| syntax(&OptionName::OrderBy, error))?;
        let allowed = &self.endpoint.query.order_by;
        let mut text = Vec::new();
        for (path, direction) in items {
            let name = find(allowed.iter().map(String::as_str), &path).ok_or_else(|| {
                self.value(&OptionName::OrderBy, format!("It orders by {}.", allowed.join(", ")))
            })?;
            text.push(match direction {
                Direction::Ascending => name.to_owned(),
                Direction::Descending => format!("{name} desc"),
            });
        }
        Ok(text.join(","))
    }

    fn filter(&self, value: &str) -> Result<String, Refusal> {
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
                let (path, literal) = self.comparison(&path, op, literal)?;
                Filter::Compare { path, op, literal }
            }
            Filter::In { .. } | Filter::Call { .. } | Filter::Any { .. } => {
                return Err(self.refuse_comparison());
            }
        })
    }

    fn comparison(
        &self,
        path: &PropertyPath,
        op: crate::graph::Operator,
        literal: Literal,
    ) -> Result<(PropertyPath, Literal), Refusal> {
        let allowed = &self.endpoint.query.filter;
        let name = find(allowed.iter().map(|(name, _)| name.as_str()), path)
            .ok_or_else(|| self.refuse_comparison())?;
        let operators =
            allowed.iter().find(|(own, _)| own == name).map_or(&[][..], |(_, operators)| operators);
        if !operators.iter().any(|operator| *operator == op) {
            return Err(self.refuse_comparison());
        }
        let path = PropertyPath::parse(name).map_err(|error| syntax(&OptionName::Filter, error))?;
        Ok((path, self.literal(name, literal)?))
    }

    /// A property that leaves as a token is compared with a token of this consumer.
    fn literal(&self, name: &str, literal: Literal) -> Result<Literal, Refusal> {
        let body = self.endpoint.response.body();
        let leaf = body.automaton.find(body.object(), name.split('/')).map(|node| &node.leaf);
        match (leaf, self.keys, literal) {
            (Some(Leaf::Transform(Transform::Reversible(class))), Some(keys), Literal::String(token)) => {
                let original = keys.open(*class, &token).ok_or(Refusal::NotFound)?;
                Ok(Literal::String(original.to_string()))
            }
            (Some(Leaf::Transform(_)), Some(_), _) => Err(Refusal::NotFound),
            (_, _, literal) => Ok(literal),
        }
    }

    fn refuse_comparison(&self) -> Refusal {
        let one = |(name, operators): &(String, Vec<Operator>)| {
            let operators: Vec<_> = operators.iter().map(|operator| operator.as_str()).collect();
            format!("{name} ({})", operators.join(", "))
        };
        let allowed: Vec<_> = self.endpoint.query.filter.iter().map(one).collect();
        self.value(&OptionName::Filter, format!("It compares {}.", allowed.join("; ")))
    }

    fn custom(&self, name: &str, value: &str) -> Result<(String, String), Refusal> {
        let received = OptionName::Custom(name.to_owned());
        let policies = &self.endpoint.query.custom;
        let (name, policy) = policies
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .ok_or_else(|| self.refuse(&received))?;
        let known = OptionName::Custom(name.clone());
        let value = match policy {
            ValuePolicy::Boolean => self.boolean(&known, value)?,
            ValuePolicy::Integer(range) => self.integer(&known, value, Some(*range))?,
            ValuePolicy::OneOf(texts) => texts
                .iter()
                .find(|text| text.eq_ignore_ascii_case(value))
                .ok_or_else(|| self.value(&known, format!("It accepts {}.", texts.join(", "))))?
                .clone(),
        };
        Ok((name.clone(), value))
    }
}

fn syntax(name: &OptionName, error: OptionError) -> Refusal {
    Refusal::OptionSyntax { option: format!("`{}`", name.as_str()), error }
}

/// The rules' spelling of a property that the request names in any letter case.
fn find<'n>(mut names: impl Iterator<Item = &'n str>, path: &PropertyPath) -> Option<&'n str> {
    names.find(|name| PropertyPath::parse(name).is_ok_and(|own| own.eq_ignore_ascii_case(path)))
}

fn join(paths: &[PropertyPath]) -> String {
    paths.iter().map(PropertyPath::to_string).collect::<Vec<_>>().join(",")
}

impl Operator {
    /// The keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl PartialEq<crate::graph::Operator> for Operator {
    fn eq(&self, other: &crate::graph::Operator) -> bool {
        self.as_str() == other.as_str()
    }
}
