//! What a `$filter` says, as a tree.
//!
//! The tree holds less than OData allows and everything that a rule can open: comparisons of a property with a
//! constant, membership, three string functions, `any` over a collection, and `and`, `or`, `not`. Two choices make it
//! easy to judge:
//!
//! - **Every path starts at the entity.** In `toRecipients/any(r:r/emailAddress/address eq 'x')` the comparison's
//!   path is `toRecipients/emailAddress/address`; the variable is gone. A path inside a lambda that does not
//!   start with the variable has two readings and is refused.
//! - **[`Display`] writes one reading.** `not a eq b` is `not (a eq b)` in the grammar of OData and
//!   `(not a) eq b` in its table of precedence, so `not` is always written with parentheses.

use std::fmt::{self, Display};

use super::literal::Literal;
use super::property_path::PropertyPath;

/// The lambda variable that is written.
const VARIABLE: &str = "x";

/// A filter expression.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Filter {
    /// All of two or more conditions hold.
    And(Vec<Self>),
    /// Some element of a collection satisfies the condition. Without a condition: the collection is not empty.
    Any {
        /// The collection.
        path: PropertyPath,
        /// What an element must satisfy; its paths begin with the collection's. It holds no further `Any`.
        condition: Option<Box<Self>>,
    },
    /// A string function over a property.
    Call {
        /// Which function.
        function: Function,
        /// Its first argument.
        path: PropertyPath,
        /// Its second argument, a [`Literal::String`].
        literal: Literal,
    },
    /// A property compared with a constant.
    Compare {
        /// The left side.
        path: PropertyPath,
        /// The operator.
        op: Operator,
        /// The right side.
        literal: Literal,
    },
    /// A property equals one of the constants, of which there is at least one.
    In {
        /// The left side.
        path: PropertyPath,
        /// The list.
        literals: Vec<Literal>,
    },
    /// The condition does not hold.
    Not(Box<Self>),
    /// At least one of two or more conditions holds.
    Or(Vec<Self>),
}

/// The comparison operators (OData 4.01 URL conventions section 5.1.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Greater than or equal.
    Ge,
    /// Greater than.
    Gt,
    /// The enumeration value has these flags.
    Has,
    /// Less than or equal.
    Le,
    /// Less than.
    Lt,
    /// Not equal.
    Ne,
}

/// The string functions that Graph supports in `$filter`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Function {
    /// `contains(path,'text')`.
    Contains,
    /// `endswith(path,'text')`.
    EndsWith,
    /// `startswith(path,'text')`.
    StartsWith,
}

impl Operator {
    const ALL: [Self; 7] = [Self::Eq, Self::Ge, Self::Gt, Self::Has, Self::Le, Self::Lt, Self::Ne];

    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Has => "has",
            Self::Le => "le",
            Self::Lt => "lt",
            Self::Ne => "ne",
        }
    }

    /// The operator that a keyword names, in any letter case.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(keyword))
    }
}

impl Function {
    const ALL: [Self; 3] = [Self::Contains, Self::EndsWith, Self::StartsWith];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::EndsWith => "endswith",
            Self::StartsWith => "startswith",
        }
    }

    /// The function of this name, in any letter case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Writer { filter: self, collection: None }.fmt(f)
    }
}

/// A filter, and the collection whose element the lambda variable stands for at this place.
struct Writer<'a> {
    filter: &'a Filter,
    collection: Option<&'a PropertyPath>,
}

impl<'a> Writer<'a> {
    const fn of(&self, filter: &'a Filter) -> Self {
        Self { filter, collection: self.collection }
    }

    fn and(&self, f: &mut fmt::Formatter<'_>, parts: &'a [Filter]) -> fmt::Result {
        self.join(f, parts, " and ", |part| matches!(part, Filter::And(_) | Filter::Or(_)))
    }

    fn or(&self, f: &mut fmt::Formatter<'_>, parts: &'a [Filter]) -> fmt::Result {
        self.join(f, parts, " or ", |part| matches!(part, Filter::Or(_)))
    }

    fn join(
        &self,
        f: &mut fmt::Formatter<'_>,
        parts: &'a [Filter],
        keyword: &str,
        needs_parentheses: fn(&Filter) -> bool,
    ) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { keyword })?;
            if needs_parentheses(part) {
                write!(f, "({})", self.of(part))?;
            } else {
                self.of(part).fmt(f)?;
            }
        }
        Ok(())
    }

    fn path(&self, path: &PropertyPath) -> String {
        let inner =
            self.collection.and_then(|collection| path.segments().strip_prefix(collection.segments()));
        match inner {
            Some(names) => std::iter::once(VARIABLE)
                .chain(names.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("/"),
            None => path.to_string(),
        }
    }
}

impl fmt::Display for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.filter {
            Filter::And(parts) => self.and(f, parts),
            Filter::Any { path, condition: None } => write!(f, "{path}/any()"),
            Filter::Any { path, condition: Some(condition) } => {
                let inner = Writer { filter: condition, collection: Some(path) };
                write!(f, "{path}/any({VARIABLE}:{inner})")
            }
            Filter::Call { function, path, literal } => {
                write!(f, "{}({},{literal})", function.as_str(), self.path(path))
            }
            Filter::Compare { path, op, literal } => {
                write!(f, "{} {} {literal}", self.path(path), op.as_str())
            }
            Filter::In { path, literals } => {
                let list: Vec<_> = literals.iter().map(Literal::to_string).collect();
                write!(f, "{} in ({})", self.path(path), list.join(","))
            }
            Filter::Not(inner) => write!(f, "not ({})", self.of(inner)),
            Filter::Or(parts) => self.or(f, parts),
        }
    }
}

#[cfg(test)]
mod tests;
