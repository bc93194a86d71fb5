//! `$filter`: comparisons, `in`, `contains`, `startswith`, `endswith` and `any`, joined by `and`, `or` and `not`. As in
//! Graph, it works on hidden properties, too, so that tests detect a proxy that lets a consumer guess their values.

mod parser;

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::fault::Fault;
use super::odata::at_path;

/// What holds for an object.
#[derive(Debug, PartialEq)]
pub(super) enum Filter {
    /// All of these hold. Nothing of nothing: no filter.
    And(Vec<Filter>),
    /// Some element of a collection satisfies the condition on the variable. Without one: there is an element.
    Any {
        path: String,
        condition: Option<(String, Box<Filter>)>,
    },
    Call {
        function: Function,
        path: String,
        text: String,
    },
    Compare {
        path: String,
        operator: Operator,
        literal: Literal,
    },
    In {
        path: String,
        literals: Vec<Literal>,
    },
    Not(Box<Filter>),
    Or(Vec<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Json(Value),
    Time(Timestamp),
}

impl Default for Filter {
    fn default() -> Filter {
        Filter::And(Vec::new())
    }
}

impl Filter {
    pub(super) fn parse(text: Option<&str>) -> Result<Filter, Fault> {
        let Some(text) = text else { return Ok(Filter::default()) };
        parser::parse(text).ok_or_else(|| Fault::Filter(text.to_owned()))
    }

    /// Whether there is no filter.
    pub(super) fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether it holds for the object whose properties `property` returns by path.
    pub(super) fn matches(&self, property: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.matches(property)),
            Filter::Or(parts) => parts.iter().any(|part| part.matches(property)),
            Filter::Not(inner) => !inner.matches(property),
            Filter::Compare { path, operator, literal } => operator.holds(literal.compare(&property(path))),
            Filter::In { path, literals } => {
                let value = property(path);
                literals.iter().any(|literal| Operator::Eq.holds(literal.compare(&value)))
            }
            Filter::Call { function, path, text } => {
                function.holds(property(path).as_str().unwrap_or_default(), text)
            }
            Filter::Any { path, condition } => {
                let value = property(path);
                let mut elements = value.as_array().into_iter().flatten();
                elements.any(|element| condition.as_ref().is_none_or(|it| holds_for(element, &it.0, &it.1)))
            }
        }
    }

    /// The properties that are compared, each once, in the order in which they occur. Letter case tells none apart.
    pub(super) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = Vec::new();
        self.visit(&mut |condition| {
            let is_known = |path: &&str| paths.iter().any(|known| known.eq_ignore_ascii_case(path));
            if let Some(path) = condition.path().filter(|path| !is_known(path)) {
                paths.push(path);
            }
        });
        paths
    }

    /// Shows `see` this condition and all inside it, except those on the elements of a collection.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Filter)) {
        see(self);
        match self {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| part.visit(see)),
            Filter::Not(inner) => inner.visit(see),
            Filter::Any { .. } | Filter::Call { .. } | Filter::Compare { .. } | Filter::In { .. } => {}
        }
    }

    /// The ids in `id eq '…' or id eq '…'`, the only form that deltas of the directory take.
    pub(super) fn ids(&self) -> Option<Vec<&str>> {
        match self {
            Filter::Or(parts) => parts.iter().map(Filter::id).collect(),
            _ => self.id().map(|id| vec![id]),
        }
    }

    /// Whether it is `receivedDateTime ge …` or `gt …`, the only form that deltas of messages take.
    pub(super) fn is_received_since(&self) -> bool {
        let Filter::Compare { path, operator, literal: Literal::Time(_) } = self else { return false };
        path.eq_ignore_ascii_case("receivedDateTime") && matches!(operator, Operator::Ge | Operator::Gt)
    }

    fn id(&self) -> Option<&str> {
        let Filter::Compare { path, operator: Operator::Eq, literal: Literal::Json(Value::String(id)) } =
            self
        else {
            return None;
        };
        path.eq_ignore_ascii_case("id").then_some(id)
    }

    fn path(&self) -> Option<&str> {
        match self {
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => None,
            Filter::Any { path, .. }
            | Filter::Call { path, .. }
            | Filter::Compare { path, .. }
            | Filter::In { path, .. } => Some(path),
        }
    }
}

/// Whether the condition holds for an element, which the variable stands for: `c` itself, or `c/property`.
fn holds_for(element: &Value, variable: &str, condition: &Filter) -> bool {
    condition.matches(&|path| match path.strip_prefix(variable) {
        Some("") => element.clone(),
        Some(inner) => inner.strip_prefix('/').map(|inner| at_path(element, inner)).unwrap_or_default(),
        None => Value::Null,
    })
}

impl Operator {
    fn parse(word: &str) -> Option<Operator> {
        match word.to_ascii_lowercase().as_str() {
            "eq" => Some(Operator::Eq),
            "ne" => Some(Operator::Ne),
            "ge" => Some(Operator::Ge),
            "gt" => Some(Operator::Gt),
            "le" => Some(Operator::Le),
            "lt" => Some(Operator::Lt),
            _ => None,
        }
    }

    /// Values that cannot be compared are unequal, never less or greater.
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Operator::Eq => ordering == Some(Ordering::Equal),
            Operator::Ne => ordering != Some(Ordering::Equal),
            Operator::Ge => ordering.is_some_and(Ordering::is_ge),
            Operator::Gt => ordering.is_some_and(Ordering::is_gt),
            Operator::Le => ordering.is_some_and(Ordering::is_le),
            Operator::Lt => ordering.is_some_and(Ordering::is_lt),
        }
    }
}

impl Function {
    fn parse(name: &str) -> Option<Function> {
        match name.to_ascii_lowercase().as_str() {
            "contains" => Some(Function::Contains),
            "startswith" => Some(Function::StartsWith),
            "endswith" => Some(Function::EndsWith),
            _ => None,
        }
    }

    fn holds(self, value: &str, text: &str) -> bool {
        let (value, text) = (value.to_lowercase(), text.to_lowercase());
        match self {
            Function::Contains => value.contains(&text),
            Function::StartsWith => value.starts_with(&text),
            Function::EndsWith => value.ends_with(&text),
        }
    }
}

impl Literal {
    fn text(text: String) -> Literal {
        Literal::Json(Value::String(text))
    }

    /// A time, a date, `true`, `false`, `null` or a number.
    fn word(word: &str) -> Option<Literal> {
        let time = word.parse().or_else(|_| format!("{word}T00:00:00Z").parse()).ok().map(Literal::Time);
        time.or_else(|| serde_json::from_str(&word.to_lowercase()).ok().map(Literal::Json))
    }

    /// How the property's value compares with the literal.
    fn compare(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Literal::Time(literal), Value::String(value)) => {
                value.parse::<Timestamp>().ok().map(|value| value.cmp(literal))
            }
            (Literal::Json(Value::String(literal)), Value::String(value)) => {
                Some(value.to_lowercase().cmp(&literal.to_lowercase()))
            }
            (Literal::Json(Value::Number(literal)), Value::Number(value)) => {
                value.as_f64()?.partial_cmp(&literal.as_f64()?)
            }
            (Literal::Json(literal), value) => (literal == value).then_some(Ordering::Equal),
            (Literal::Time(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Filter;

    fn matches(filter: &str) -> bool {
        let object = json!({
            "receivedDateTime": "2026-02-01T10:00:00Z",
            "isRead": true,
            "subject": "O'Dowd and co",
            "importance": "high",
            "groupTypes": ["Unified"],
            "replyTo": [{ "address": "a@b.example" }],
            "none": [],
        });
        let property = |path: &str| object.get(path).cloned().unwrap_or(Value::Null);
        Filter::parse(Some(filter)).unwrap().matches(&property)
    }

    #[test]
    fn times_compare_as_times() {
        assert!(matches("receivedDateTime ge 2026-02-01T10:00:00Z and receivedDateTime lt 2026-02-02"));
        assert!(matches("receivedDateTime ge 2026-02-01T11:00:00+01:00"));
        assert!(!matches("receivedDateTime gt 2026-02-01T10:00:00Z"));
    }

    #[test]
    fn booleans_texts_and_enumerations() {
        assert!(matches("isRead eq true"));
        assert!(!matches("isRead eq false"));
        assert!(matches("contains(subject,'o''dowd and')"));
        assert!(matches("startswith(subject, 'O') and subject ne 'x'"));
        assert!(!matches("endswith(subject,'zebra')"));
        assert!(matches("missing eq null"));
        assert!(matches("importance eq 'high' and importance eq microsoft.graph.importance'high'"));
    }

    #[test]
    fn and_or_not_and_parentheses() {
        assert!(matches("isRead eq false or importance eq 'high'"));
        assert!(!matches("isRead eq false and importance eq 'high' or isRead eq false"));
        assert!(!matches("isRead eq false and (importance eq 'high' or isRead eq true)"));
        assert!(matches("NOT(isRead eq false) and not startswith(subject,'x')"));
        assert!(matches("importance in ('low', 'high') and not (importance in ('low'))"));
    }

    #[test]
    fn a_lambda_is_about_elements() {
        assert!(matches("groupTypes/any(c:c eq 'Unified')"));
        assert!(matches("groupTypes/any(kind: kind eq 'Unified' or kind eq 'x')"));
        assert!(!matches("groupTypes/any(c:c eq 'Dynamic')"));
        assert!(matches("replyTo/any(r:r/address eq 'a@b.example') and replyTo/any()"));
        assert!(!matches("none/any()"));
    }

    #[test]
    fn paths_come_in_their_order_and_once() {
        let filter =
            Filter::parse(Some("b eq 1 and (a/x gt 2 or not (b eq 3)) and c/any(d:d eq 1)")).unwrap();
        assert_eq!(filter.paths(), ["b", "a/x", "c"]);
        assert!(filter.ids().is_none() && !filter.is_empty());
        let ids = Filter::parse(Some("id eq 'x' or ID eq 'y'")).unwrap();
        assert_eq!(ids.ids().unwrap(), ["x", "y"]);
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!("{}a eq 1{}", "(".repeat(100), ")".repeat(100));
        for filter in [
            "isRead",
            "isRead is true",
            "a/any(b:b)",
            "contains(subject)",
            "isRead eq maybe",
            "",
            "a eq 1 and",
            "(a eq 1",
            "a eq 'x",
            "a in ()",
            "a eq b",
            "not",
            &deep,
        ] {
            assert!(Filter::parse(Some(filter)).is_err(), "{filter}");
        }
        assert!(Filter::parse(None).unwrap().is_empty());
    }
}
