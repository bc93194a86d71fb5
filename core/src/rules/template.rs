//! Endpoint path templates: `/{api}/users/{user}/mailFolders/{folder}/messages`.

use std::fmt;

use crate::graph::{DELTA, Segment, Target, Version, function};

/// The request paths that an endpoint matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The API version: a name, or a parameter.
    pub version: Part,
    /// The parts after the version.
    pub parts: Vec<Part>,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This name, in any letter case.
    Name(String),
    /// This bound function, as `delta()`.
    Function(String),
    /// A cast, as `microsoft.graph.user`.
    Cast(String),
    /// `$count`.
    Count,
    /// The parameter of this name.
    Param(String),
}

/// What is wrong with a template, for its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not start with a slash, or has an empty or unknown part.
    #[error("a template is a path such as `/{{api}}/users/{{user}}/messages`")]
    Malformed,
    /// The first segment is neither a parameter nor a version.
    #[error("the first segment is the API version: `v1.0`, `beta` or a parameter")]
    Version,
    /// A parameter comes twice.
    #[error("a parameter can come once only")]
    RepeatedParam,
    /// `$value`, `$ref` and the like.
    #[error("of the `$` segments only `$count` can be opened: `$value` is content, `$ref` is links")]
    Dollar,
}

impl Template {
    /// Parses what an author wrote.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut segments = text.strip_prefix('/').ok_or(TemplateError::Malformed)?.split('/');
        let version = Part::parse(segments.next().unwrap_or_default())?;
        if !matches!(&version, Part::Param(_))
            && !matches!(&version, Part::Name(name) if Version::parse(name).is_some())
        {
            return Err(TemplateError::Version);
        }
        let parts = segments.map(Part::parse).collect::<Result<Vec<_>, _>>()?;
        let template = Self { version, parts };
        let names: Vec<_> = template.param_names().collect();
        let repeated =
            names.iter().enumerate().any(|(at, name)| names.iter().skip(at + 1).any(|other| other == name));
        match (repeated, template.parts.is_empty()) {
            (true, _) => Err(TemplateError::RepeatedParam),
            (_, true) => Err(TemplateError::Malformed),
            (false, false) => Ok(template),
        }
    }

    /// The parameters, in the order of the template.
    pub(crate) fn param_names(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(|part| match part {
            Part::Param(name) => Some(name.as_str()),
            Part::Name(_) | Part::Function(_) | Part::Cast(_) | Part::Count => None,
        })
    }

    /// The version's part, then the others.
    pub fn all(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.version).chain(&self.parts)
    }

    /// The values of the parameters, in the order of the template, if the target has the template's form.
    pub fn matches<'t>(&self, target: &'t Target) -> Option<Vec<&'t str>> {
        if target.segments.len() != self.parts.len() {
            return None;
        }
        let mut values = Vec::new();
        match &self.version {
            Part::Param(_) => values.push(target.version.as_str()),
            Part::Name(name) if name == target.version.as_str() => {}
            _ => return None,
        }
        for (part, segment) in self.parts.iter().zip(&target.segments) {
            values.extend(part.matches(segment)?);
        }
        Some(values)
    }

    /// How many parts, from the first on, match the target.
    pub fn shared(&self, target: &Target) -> usize {
        let pairs = self.parts.iter().zip(&target.segments);
        pairs.take_while(|(part, segment)| part.matches(segment).is_some()).count()
    }

    /// The last name of the path: the resource that the endpoint serves, or the collection that its object is in.
    /// `messages` for `/{api}/users/{user}/messages/{message}`.
    pub fn last_name(&self) -> Option<&str> {
        self.parts.iter().rev().find_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Function(_) | Part::Cast(_) | Part::Count | Part::Param(_) => None,
        })
    }

    /// Whether the endpoint is a delta function.
    pub(crate) fn is_delta(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Function(call) if call.trim_end_matches("()") == DELTA))
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return if is_name(name) {
                Ok(Self::Param(name.to_owned()))
            } else {
                Err(TemplateError::Malformed)
            };
        }
        if let Some(call) = called(text) {
            return Ok(Self::Function(call));
        }
        match text {
            "$count" => Ok(Self::Count),
            _ if text.starts_with('$') => Err(TemplateError::Dollar),
            _ if text.strip_prefix("microsoft.graph.").is_some_and(is_name) => {
                Ok(Self::Cast(text.to_owned()))
            }
            _ if is_name(text) || Version::parse(text).is_some() => Ok(Self::Name(text.to_owned())),
            _ => Err(TemplateError::Malformed),
        }
    }

    /// `None` if the segment does not match. Otherwise the parameter's value, if this part is a parameter.
    fn matches<'t>(&self, segment: &'t Segment) -> Option<Option<&'t str>> {
        match (self, segment) {
            (Self::Param(_), Segment::Plain(value) | Segment::Key(value)) => Some(Some(value)),
            (Self::Name(own), Segment::Plain(name)) if own.eq_ignore_ascii_case(name) => Some(None),
            (Self::Function(own), Segment::Function(name)) if own == name => Some(None),
            (Self::Cast(own), Segment::Cast(name)) if own.eq_ignore_ascii_case(name) => Some(None),
            (Self::Count, Segment::Dollar(name)) if name == "$count" => Some(None),
            _ => None,
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().try_for_each(|part| write!(f, "/{part}"))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Function(text) | Self::Cast(text) => f.write_str(text),
            Self::Count => f.write_str("$count"),
            Self::Param(name) => write!(f, "{{{name}}}"),
        }
    }
}

/// The call of a function as requests spell it. Authors write its own name, with or without parentheses.
fn called(text: &str) -> Option<String> {
    let name = text.strip_suffix("()").unwrap_or(text);
    function(name).filter(|call| call.strip_suffix("()") == Some(name))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
