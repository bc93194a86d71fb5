//! No request may match two endpoints: the order of lines would decide which one is used.

use super::super::codes;
use super::super::plan::{Endpoint, Param};
use super::super::raw;
use super::super::template::Part;
use crate::diagnostic::Diagnostic;
use crate::yaml::Recovered;

/// Reports every pair of endpoints that can match one request.
pub(super) fn check(
    written: &[Recovered<raw::Endpoint>],
    endpoints: &[Option<Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    for (at, one) in endpoints.iter().enumerate() {
        for (raw, other) in written.iter().zip(endpoints).skip(at + 1) {
            if let (Some(one), Some(other), Some(raw)) = (one, other, &raw.0)
                && overlap(one, other)
            {
                let message = format!("`{}` and `{}` can match one request", one.name, other.name);
                let hint = "make a parameter narrower (`one_of`), or join the two";
                findings.push(Diagnostic::error(codes::OVERLAP, raw.get.span.clone(), message).hint(hint));
            }
        }
    }
}

/// Whether a request can match both.
pub(super) fn overlap(one: &Endpoint, other: &Endpoint) -> bool {
    let same_length = one.template.parts.len() == other.template.parts.len();
    same_length && one.template.all().zip(other.template.all()).all(|(a, b)| meet(one, a, other, b))
}

/// Whether one path segment can satisfy both parts.
fn meet(one: &Endpoint, a: &Part, other: &Endpoint, b: &Part) -> bool {
    match (a, b) {
        (Part::Param(a), Part::Param(b)) => params_meet(one.param(a), other.param(b)),
        (Part::Param(param), Part::Name(name)) => accepts_name(one.param(param), name),
        (Part::Name(name), Part::Param(param)) => accepts_name(other.param(param), name),
        (Part::Name(a), Part::Name(b)) | (Part::Cast(a), Part::Cast(b)) => a.eq_ignore_ascii_case(b),
        (Part::Function(a), Part::Function(b)) => a == b,
        (Part::Count, Part::Count) => true,
        _ => false,
    }
}

fn params_meet(a: Option<&Param>, b: Option<&Param>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    a.takes_raw()
        || b.takes_raw()
        || (a.token.is_some() && b.token.is_some())
        || a.one_of.iter().any(|name| accepts_name(Some(b), name))
}

/// A token never looks like a name: it starts with `p~`.
fn accepts_name(param: Option<&Param>, name: &str) -> bool {
    param.is_some_and(|param| {
        param.takes_raw() || param.one_of.iter().any(|own| own.eq_ignore_ascii_case(name))
    })
}

impl Param {
    /// Whether it takes values that are neither listed names nor tokens.
    pub(crate) fn takes_raw(&self) -> bool {
        self.raw || self.pattern.is_some()
    }
}

impl Endpoint {
    /// What the parameter called `name` accepts.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }
}
