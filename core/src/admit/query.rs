//! Checks query options against an endpoint's policy. Options are parsed as OData and written anew, and an option that
//! no rule names is refused. `$select` is always sent, so that Graph does not even return hidden properties.

use super::{Keys, Refusal, format};
use crate::graph::{
    Direction, OptionError, OptionName, PropertyPath, QueryOption, Selection, Target, Version, option, schema,
};
use crate::rules::comparable::with_ways;
use crate::rules::plan::{Casts, Endpoint, Expand, IntegerRange, QueryPolicy, Response, ValuePolicy};
use crate::rules::template::Part;

/// The options for Graph.
pub(super) fn admit(
    target: &Target,
    endpoint: &Endpoint,
    keys: &dyn Keys,
) -> Result<Vec<(String, String)>, Refusal> {
    let checker = Checker::new(endpoint, target.version, Some(keys));
    let mut options = checker.options(target)?;
    if target.option(&OptionName::Select).is_none() {
        options.extend(checker.whole_select().map(|names| (OptionName::Select.as_str().to_owned(), names)));
    }
    Ok(options)
}

/// Checks the options beside a sealed link: the rules have to open each, although the link's own options count.
pub(super) fn beside_link(target: &Target, endpoint: &Endpoint, keys: &dyn Keys) -> Result<(), Refusal> {
    let checker = Checker::new(endpoint, target.version, Some(keys));
    let mut beside = checker.asked(target);
    beside.try_for_each(|option| checker.option(&option.name, &option.value).map(drop))
}

/// The properties in the request's `$select` that do not leave. The proxy drops them from what it asks Graph for.
pub fn unselected(target: &Target, endpoint: &Endpoint) -> Vec<Selection> {
    let asked = target.option(&OptionName::Select).and_then(|value| option::select(value).ok());
    let Some(kept) = &endpoint.response.body().select else { return Vec::new() };
    let leaves = |asked: &Selection| kept.iter().any(|name| is_named(asked, name));
    asked.into_iter().flatten().filter(|asked| !leaves(asked)).collect()
}

/// Checks that Graph's own link stays within the policy. Its values are Graph's: comparisons hold originals, not
/// tokens.
pub(super) fn readmit(target: &Target, endpoint: &Endpoint) -> Result<(), Refusal> {
    let checker = Checker::new(endpoint, target.version, None);
    for option in target.options.iter().filter(|option| !option.name.is_opaque()) {
        match &option.name {
            // Graph's links use `$skip` even where the consumer may not.
            name @ (OptionName::Skip | OptionName::Top) => {
                option::integer(&option.value).map(drop).map_err(|error| syntax(name, error))?;
            }
            name => checker.option(name, &option.value).map(drop)?,
        }
    }
    Ok(())
}

/// Checks the options of one place: of the request, or inside the parentheses of an `$expand`.
#[derive(Clone, Copy)]
pub(super) struct Checker<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) policy: &'a QueryPolicy,
    /// The properties that can leave; `None` if the shape also keeps properties that it does not list.
    kept: Option<&'a [String]>,
    /// How those of derived types are selected.
    casts: &'a Casts,
    /// The navigation property that is expanded, for options inside it.
    expanded: Option<&'a str>,
    version: Version,
    /// Opens the tokens that a consumer compares with; `None` for Graph's own links.
    pub(super) keys: Option<&'a dyn Keys>,
}

impl<'a> Checker<'a> {
    fn new(endpoint: &'a Endpoint, version: Version, keys: Option<&'a dyn Keys>) -> Self {
        let body = endpoint.response.body();
        let (kept, casts) = (body.select.as_deref(), &body.casts);
        Self { endpoint, policy: &endpoint.query, kept, casts, expanded: None, version, keys }
    }

    fn options(&self, target: &Target) -> Result<Vec<(String, String)>, Refusal> {
        self.asked(target).map(|option| self.option(&option.name, &option.value)).collect()
    }

    /// The options that change anything and that this proxy interprets.
    fn asked<'t>(&self, target: &'t Target) -> impl Iterator<Item = &'t QueryOption> + use<'a, 't> {
        let endpoint = self.endpoint;
        let own = target.options.iter().filter(|option| !option.name.is_opaque());
        own.filter(move |option| !format::is_redundant(option, endpoint))
    }

    fn option(&self, name: &OptionName, value: &str) -> Result<(String, String), Refusal> {
        let policy = self.policy;
        let value = match name {
            OptionName::Select if self.keys.is_none() => self.graph_select(value)?,
            OptionName::Select if policy.select => self.select(value)?,
            OptionName::Filter if !policy.filter.is_empty() => self.filter(value)?,
            OptionName::OrderBy if !policy.order_by.is_empty() => self.order_by(value)?,
            OptionName::Expand if !policy.expand.is_empty() => self.expand(value)?,
            _ => return self.one_value(name, value),
        };
        Ok((name.as_str().to_owned(), value))
    }

    fn refuse(&self, name: &OptionName) -> Refusal {
        let is_document = self.expanded.is_none() && matches!(self.endpoint.response, Response::Json(_));
        if *name == OptionName::Format && is_document {
            return self.value(name, format::ACCEPTED.into());
        }
        // A name that is not OData's is the consumer's text, and refusals do not repeat what requests say.
        let option = match name {
            OptionName::Custom(_) => "A query option".to_owned(),
            known => self.named(known),
        };
        Refusal::Option { option, endpoint: self.endpoint.name.clone(), accepted: self.accepted() }
    }

    fn accepted(&self) -> String {
        let policy = self.policy;
        let known = [
            ("$filter", !policy.filter.is_empty()),
            ("$orderby", !policy.order_by.is_empty()),
            ("$expand", !policy.expand.is_empty()),
        ];
        let known = known.iter().filter(|(_, open)| *open).map(|(name, _)| *name);
        let values = policy.values.iter().map(|(name, _)| name.as_str());
        let (system, custom): (Vec<_>, Vec<_>) = values.partition(|name| name.starts_with('$'));
        let select = policy.select.then_some("$select");
        let names: Vec<_> = select.into_iter().chain(system).chain(known).chain(custom).collect();
        if names.is_empty() {
            "It accepts none.".to_owned()
        } else {
            format!("It accepts {}.", names.join(", "))
        }
    }

    /// The option's name, and whether it is inside `$expand`.
    fn named(&self, name: &OptionName) -> String {
        let place = if self.expanded.is_some() { " inside `$expand`" } else { "" };
        format!("`{}`{place}", name.as_str())
    }

    pub(super) fn value(&self, name: &OptionName, accepted: String) -> Refusal {
        let option = self.named(name);
        Refusal::OptionValue { option, endpoint: self.endpoint.name.clone(), accepted }
    }

    fn integer(&self, name: &OptionName, value: &str, range: IntegerRange) -> Result<String, Refusal> {
        let number = option::integer(value).map_err(|error| syntax(name, error))?;
        if (range.min..=range.max).contains(&number) {
            Ok(number.to_string())
        } else {
            Err(self.value(name, format!("It accepts {} to {}.", range.min, range.max)))
        }
    }

    fn boolean(&self, name: &OptionName, value: &str) -> Result<String, Refusal> {
        option::boolean(value).map(|value| value.to_string()).map_err(|error| syntax(name, error))
    }

    /// The requested names that can leave. If there are none, the id: every entity has it, and Graph sends it anyway.
    fn select(&self, value: &str) -> Result<String, Refusal> {
        let asked = option::select(value).map_err(|error| syntax(&OptionName::Select, error))?;
        if asked.iter().any(|asked| asked.path.segments().len() > 1) {
            return Err(
                self.value(&OptionName::Select, "It takes whole properties, not parts of them.".into())
            );
        }
        let Some(kept) = self.kept else {
            return Ok(join(&asked));
        };
        let is_asked = |name: &&String| asked.iter().any(|asked| is_named(asked, name));
        let mut names: Vec<_> = kept.iter().filter(is_asked).filter(|name| self.can_select(name)).collect();
        if names.is_empty() {
            names = kept.iter().filter(|name| *name == "id").collect();
        }
        if names.is_empty() {
            names = kept.iter().filter(|name| self.can_select(name)).collect();
        }
        Ok(self.written(names.into_iter().map(String::as_str)))
    }

    /// A list of names for Graph, with the type in front of those of derived types.
    fn written<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> String {
        let written = names.into_iter().map(|name| self.casts.written(self.version, name).to_owned());
        written.collect::<Vec<_>>().join(",")
    }

    /// All properties that can leave, if the shape lists them all. What Graph sends only to those who select it is among them
    /// only if the consumer cannot select it.
    fn whole_select(&self) -> Option<String> {
        let all = || self.kept.into_iter().flatten().map(String::as_str).filter(|name| self.can_select(name));
        let is_usual = |name: &&str| !self.policy.select || schema::is_usual(self.resource(), name);
        let usual: Vec<_> = all().filter(is_usual).collect();
        let names = if usual.is_empty() { all().collect() } else { usual };
        (!names.is_empty() && !self.counts()).then(|| self.written(names))
    }

    fn counts(&self) -> bool {
        self.endpoint.template.parts.contains(&Part::Count)
    }

    fn can_select(&self, name: &str) -> bool {
        schema::can_select(self.version, self.resource(), name)
    }

    /// The last name in the path to the objects.
    fn resource(&self) -> &str {
        let resource = self.endpoint.template.parts.iter().rev().find_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Param(_) | Part::Function(_) | Part::Cast(_) | Part::Count => None,
        });
        self.expanded.or(resource).unwrap_or_default()
    }

    /// Graph's links repeat the `$select` of the request that they continue.
    fn graph_select(&self, value: &str) -> Result<String, Refusal> {
        let asked = option::select(value).map_err(|error| syntax(&OptionName::Select, error))?;
        let is_kept =
            |asked: &Selection| self.kept.is_none_or(|kept| kept.iter().any(|name| is_named(asked, name)));
        if asked.iter().all(is_kept) { Ok(join(&asked)) } else { Err(self.refuse(&OptionName::Select)) }
    }

    /// Writes each expansion anew, with a `$select` of what can leave and the options that its own policy accepts.
    fn expand(&self, value: &str) -> Result<String, Refusal> {
        let items = option::expand(value).map_err(|error| syntax(&OptionName::Expand, error))?;
        let mut written: Vec<String> = Vec::new();
        let mut seen = Vec::new();
        for item in items {
            let known =
                self.policy.expand.iter().find(|known| known.property.eq_ignore_ascii_case(&item.path));
            let known = known.filter(|known| !seen.contains(&known.property.as_str()));
            let known = known.ok_or_else(|| self.refuse_expansion())?;
            seen.push(known.property.as_str());
            written.push(self.inside(known).expansion(&known.property, item.options.as_deref())?);
        }
        Ok(written.join(","))
    }

    /// The checker for the options inside the parentheses of this expansion.
    fn inside(&self, expand: &'a Expand) -> Self {
        let kept = expand.select.as_deref();
        let expanded = Some(expand.property.as_str());
        Self { policy: &expand.query, kept, casts: &expand.casts, expanded, ..*self }
    }

    fn expansion(&self, property: &str, asked: Option<&str>) -> Result<String, Refusal> {
        let asked = asked.map(option::nested).transpose();
        let asked = asked.map_err(|error| syntax(&OptionName::Expand, error))?.unwrap_or_default();
        let mut options = Vec::new();
        if !asked.iter().any(|option| option.name == OptionName::Select) {
            options.extend(self.whole_select().map(|names| format!("$select={names}")));
        }
        for option in &asked {
            let (name, value) = self.option(&option.name, &option.value)?;
            options.push(format!("{name}={value}"));
        }
        options.sort();
        Ok(if options.is_empty() {
            property.to_owned()
        } else {
            format!("{property}({})", options.join(";"))
        })
    }

    fn refuse_expansion(&self) -> Refusal {
        let names: Vec<_> = self.policy.expand.iter().map(|expand| expand.property.as_str()).collect();
        self.value(&OptionName::Expand, format!("It expands {}, each once.", names.join(", ")))
    }

    fn order_by(&self, value: &str) -> Result<String, Refusal> {
        let items = option::order_by(value).map_err(|error| syntax(&OptionName::OrderBy, error))?;
        let allowed = &self.policy.order_by;
        let mut text = Vec::new();
        for (path, direction) in items {
            let is_it = |(own, directions): &&(String, Vec<Direction>)| {
                is_spelled(own, &path) && directions.contains(&direction)
            };
            let entry = allowed.iter().find(is_it);
            let (name, _) = entry.ok_or_else(|| self.refuse_order())?;
            text.push(match direction {
                Direction::Ascending => name.clone(),
                Direction::Descending => format!("{name} desc"),
            });
        }
        Ok(text.join(","))
    }

    fn refuse_order(&self) -> Refusal {
        let one = |(name, directions): &(String, Vec<Direction>)| {
            let directions: Vec<_> = directions.iter().map(|direction| direction.as_str()).collect();
            (name.clone(), directions.join(", "))
        };
        let allowed = with_ways(self.policy.order_by.iter().map(one));
        self.value(&OptionName::OrderBy, format!("It orders by {allowed}."))
    }

    /// An option that takes one value, in the rules' spelling.
    fn one_value(&self, name: &OptionName, value: &str) -> Result<(String, String), Refusal> {
        let (name, policy) = self.policy.value(name).ok_or_else(|| self.refuse(name))?;
        let value = match policy {
            ValuePolicy::Boolean => self.boolean(name, value)?,
            ValuePolicy::Integer(range) => self.integer(name, value, *range)?,
            ValuePolicy::OneOf(texts) => texts
                .iter()
                .find(|text| text.eq_ignore_ascii_case(value))
                .ok_or_else(|| self.value(name, format!("It accepts {}.", texts.join(", "))))?
                .clone(),
            ValuePolicy::Pattern(pattern) if pattern.is_match(value) => value.to_owned(),
            ValuePolicy::Pattern(_) => {
                return Err(self.value(name, "It accepts what the rule's `pattern` matches.".into()));
            }
        };
        Ok((name.as_str().to_owned(), value))
    }
}

pub(super) fn syntax(name: &OptionName, error: OptionError) -> Refusal {
    Refusal::OptionSyntax { option: format!("`{}`", name.as_str()), error }
}

/// Whether the request names this property of the rules, in any letter case.
pub(super) fn is_spelled(name: &str, path: &PropertyPath) -> bool {
    PropertyPath::parse(name).is_ok_and(|own| own.eq_ignore_ascii_case(path))
}

/// Whether the item begins at the property called `name`. The type in front is no other property: what leaves goes by names.
fn is_named(asked: &Selection, name: &str) -> bool {
    asked.path.segments().first().is_some_and(|first| first.eq_ignore_ascii_case(name))
}

fn join(asked: &[Selection]) -> String {
    asked.iter().map(Selection::to_string).collect::<Vec<_>>().join(",")
}
