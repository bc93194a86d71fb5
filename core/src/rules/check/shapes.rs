//! Shapes: paths parsed, treatments resolved, conflicts found.

use std::collections::HashMap;
use std::ops::Range;

use super::super::automaton::{self, CompileError};
use super::super::checked::{Nested, Rule, Shape, ShapeId};
use super::super::codes;
use super::super::path::{Path, Use};
use super::super::plan::Treatment;
use super::super::raw;
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{ByKind, Recovered, Spanned};

/// The numbers of the shapes, by name.
pub(super) struct Names<'a>(HashMap<&'a str, ShapeId>);

impl<'a> Names<'a> {
    pub(super) fn new(shapes: &'a raw::Entries<raw::Shape>) -> Self {
        Self(shapes.0.iter().enumerate().map(|(at, (name, _))| (name.value.as_str(), ShapeId(at))).collect())
    }

    /// The shape called `name`.
    pub(super) fn get(&self, name: &str) -> Option<ShapeId> {
        self.0.get(name).copied()
    }

    /// The shape called `name`, or a finding.
    pub(super) fn find(&self, name: &Spanned<String>, findings: &mut Vec<Diagnostic>) -> Option<ShapeId> {
        let found = self.get(&name.value);
        if found.is_none() {
            let mut known: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
            known.sort();
            findings.push(
                Diagnostic::error(codes::UNKNOWN_SHAPE, name.span.clone(), "no shape has this name")
                    .hint(format!("the shapes are {}", known.join(", "))),
            );
        }
        found
    }
}

/// One checked shape for each written one, in the same order.
pub(super) fn check(
    shapes: &raw::Entries<raw::Shape>,
    names: &Names<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Shape> {
    let none = raw::Shape::default();
    shapes
        .0
        .iter()
        .map(|(_, shape)| check_shape(shape.0.as_ref().unwrap_or(&none), names, findings))
        .collect()
}

fn check_shape(raw: &raw::Shape, names: &Names<'_>, findings: &mut Vec<Diagnostic>) -> Shape {
    let mut checker = Checker { shape: Shape::default(), findings };
    raw.keep.0.iter().for_each(|keep| checker.keep(keep));
    checker.plain(&raw.redact, &Treatment::Redact);
    checker.transforms(raw);
    present(&raw.nested).for_each(|entry| checker.nested(entry, names));
    checker.unlisted(raw.unlisted.as_ref());
    checker.warn_shadowed();
    checker.shape
}

/// The entries that could be read.
pub(in crate::rules) fn present<T>(entries: &[Recovered<T>]) -> impl Iterator<Item = &T> {
    entries.iter().filter_map(|entry| entry.0.as_ref())
}

/// The paths of an entry.
pub(in crate::rules) struct Selected<'a> {
    pub(in crate::rules) one: Option<&'a Spanned<String>>,
    pub(in crate::rules) many: &'a [Spanned<String>],
    pub(in crate::rules) reviewed: bool,
}

/// Checks one shape.
pub(in crate::rules) struct Checker<'f> {
    pub(in crate::rules) shape: Shape,
    pub(in crate::rules) findings: &'f mut Vec<Diagnostic>,
}

impl Checker<'_> {
    pub(in crate::rules) fn error(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.findings.push(Diagnostic::error(code, span.clone(), message).hint(hint));
    }

    pub(in crate::rules) fn warning(&mut self, code: Code, span: &Range<usize>, message: &str, hint: &str) {
        self.findings.push(Diagnostic::warning(code, span.clone(), message).hint(hint));
    }

    pub(in crate::rules) fn plain(&mut self, paths: &[Spanned<String>], treatment: &Treatment) {
        paths.iter().for_each(|text| self.rule(text, treatment, false));
    }

    /// The paths of entries that are a path or have paths.
    pub(in crate::rules) fn selections(
        &mut self,
        entries: &[Recovered<Spanned<ByKind<raw::Paths>>>],
        treatment: &Treatment,
    ) {
        for entry in present(entries) {
            let mut reviewed = false;
            if let ByKind::Full(paths) = &entry.value {
                reviewed = paths.reviewed;
                self.need_path(paths.path.as_ref(), &paths.paths, &entry.span);
            }
            entry.value.all().for_each(|text| self.rule(text, treatment, reviewed));
        }
    }

    /// The paths of an entry that has `path`, `paths` or both.
    pub(in crate::rules) fn paths(&mut self, selected: &Selected<'_>, treatment: &Treatment) {
        for text in selected.one.into_iter().chain(selected.many) {
            self.rule(text, treatment, selected.reviewed);
        }
    }

    fn rule(&mut self, text: &Spanned<String>, treatment: &Treatment, reviewed: bool) {
        let usage = if *treatment == Treatment::Redact { Use::Redact } else { Use::Write };
        if let Some(path) = Path::parse(text, usage, self.findings) {
            let (treatment, span) = (treatment.clone(), text.span.clone());
            self.shape.rules.push(Rule { path, treatment, reviewed, span });
        }
    }

    pub(in crate::rules) fn need_path(
        &mut self,
        one: Option<&Spanned<String>>,
        many: &[Spanned<String>],
        span: &Range<usize>,
    ) {
        if one.is_none() && many.is_empty() {
            self.error(codes::PATH_MISSING, span, "this entry names no path", "add `path:` or `paths:`");
        }
    }

    fn nested(&mut self, entry: &raw::Nested, names: &Names<'_>) {
        self.need_path(entry.path.as_ref(), &entry.paths, &entry.shape.span);
        let Some(shape) = names.find(&entry.shape, self.findings) else {
            return;
        };
        for text in entry.path.iter().chain(&entry.paths) {
            if let Some(path) = Path::parse(text, Use::Write, self.findings) {
                self.shape.nested.push(Nested { path, shape, span: text.span.clone() });
            }
        }
    }

    fn unlisted(&mut self, unlisted: Option<&Spanned<raw::Unlisted>>) {
        let Some(unlisted) = unlisted.filter(|unlisted| unlisted.value == raw::Unlisted::Keep) else {
            return;
        };
        self.shape.unlisted_keep = Some(unlisted.span.clone());
        let message = "`unlisted: keep` lets every property leave that no line names";
        let hint = "properties that Graph adds later leave too; list what is needed under `keep` instead";
        self.warning(codes::UNLISTED_KEEP, &unlisted.span, message, hint);
    }

    fn warn_shadowed(&mut self) {
        for keep in self.shape.rules.iter().filter(|rule| is_keep(rule)) {
            let stricter = self.shape.rules.iter().find(|rule| !is_keep(rule) && rule.path == keep.path);
            if let Some(stricter) = stricter {
                let message = format!("this has no effect: the same path is under `{}`", stricter.treatment);
                self.findings.push(
                    Diagnostic::warning(codes::SHADOWED, keep.span.clone(), message)
                        .hint("remove one of the two"),
                );
            }
        }
    }
}

fn is_keep(rule: &Rule) -> bool {
    matches!(rule.treatment, Treatment::Keep(_))
}

/// Builds each shape alone, so that a conflict is found even if no endpoint uses the shape.
pub(super) fn report_conflicts(
    written: &raw::Entries<raw::Shape>,
    shapes: &[Shape],
    findings: &mut Vec<Diagnostic>,
) {
    for (at, (name, _)) in written.0.iter().enumerate() {
        let Err(error) = automaton::build(shapes, ShapeId(at)) else { continue };
        findings.extend(build_findings(&error, &name.span));
        // The other shapes of the circle are as large, and each takes long to build.
        if matches!(error, CompileError::TooLarge) {
            return;
        }
    }
}

/// The findings about shapes that do not compile. `span` is where the file names the outermost shape.
pub(super) fn build_findings(error: &CompileError, span: &Range<usize>) -> Vec<Diagnostic> {
    match error {
        CompileError::Conflict(one, other) => {
            let message = "two different treatments meet at one value";
            let hint = "two lines are marked: remove one of them, or `redact` the path";
            [one, other]
                .map(|span| Diagnostic::error(codes::CONFLICT, span.clone(), message).hint(hint))
                .into()
        }
        CompileError::TooLarge => {
            let message = "this shape, with those nested in it, has more places than can be listed";
            let hint = "shapes that refer to each other in circles multiply: nest fewer of them";
            vec![Diagnostic::error(codes::TOO_LARGE, span.clone(), message).hint(hint)]
        }
    }
}

/// Shapes that neither an endpoint nor another shape names.
pub(super) fn report_unused(
    shapes: &raw::Entries<raw::Shape>,
    endpoints: &[Recovered<raw::Endpoint>],
    findings: &mut Vec<Diagnostic>,
) {
    let nested = shapes.0.iter().filter_map(|(_, shape)| shape.0.as_ref());
    let nested = nested.flat_map(|shape| present(&shape.nested)).map(|entry| entry.shape.value.as_str());
    let responses = present(endpoints).map(|endpoint| endpoint.response.value.shape().value.as_str());
    let queries = present(endpoints).map(|endpoint| &endpoint.query);
    let expanded = queries.flat_map(raw::Query::expansions).map(|(_, expand)| expand.shape.value.as_str());
    let used: Vec<_> = nested.chain(responses).chain(expanded).collect();
    for (name, _) in &shapes.0 {
        if !used.contains(&name.value.as_str()) {
            let message = "nothing uses this shape";
            let hint = "use it in a `response`, nest it, or remove it";
            findings.push(Diagnostic::warning(codes::UNUSED_SHAPE, name.span.clone(), message).hint(hint));
        }
    }
}
