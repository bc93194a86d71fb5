//! Regular expressions of a rules file: within limits, and matched against the whole value.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

use super::super::codes;
use crate::diagnostic::Diagnostic;
use crate::yaml::Spanned;

/// A compiled regular expression may take this many bytes.
const MAX_REGEX_BYTES: usize = 256 * 1024;
/// A regular expression may nest this deep.
const MAX_REGEX_NESTING: u32 = 32;

/// The expression anchored at both ends, within the limits of size and nesting.
pub(in crate::rules) fn whole_match(text: &Spanned<String>, findings: &mut Vec<Diagnostic>) -> Option<Regex> {
    let build = |text: &str| {
        RegexBuilder::new(text).size_limit(MAX_REGEX_BYTES).nest_limit(MAX_REGEX_NESTING).build()
    };
    let anchored = format!("^(?:{})$", text.value);
    // Built without anchors first: `a)|(?:b` is not an expression, but would become one between the anchors'
    // parentheses.
    let built = build(&text.value).and_then(|_| build(&anchored));
    if built.is_err() {
        let message = "this regular expression does not compile";
        let hint = "see the syntax of Rust's regex crate: no look-around, no back-references";
        findings.push(Diagnostic::error(codes::REGEX, text.span.clone(), message).hint(hint));
    }
    built.ok()
}

/// The most texts that a kept group can match.
const MAX_TEXTS: usize = 64;

/// All texts that the capture group of this name can match; `None` if there are more than a few, or any is not printable
/// ASCII.
pub(in crate::rules) fn texts_of_group(regex: &str, name: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(regex).ok()?;
    let group = group(&hir, name)?;
    let mut extractor = Extractor::new();
    extractor
        .limit_total(MAX_TEXTS)
        .limit_class(MAX_TEXTS)
        .limit_repeat(MAX_TEXTS)
        .limit_literal_len(MAX_TEXTS);
    let found = extractor.extract(group);
    let literals = found.literals().filter(|_| found.is_exact() && !has_looks(group))?;
    literals.iter().map(|literal| printable(literal.as_bytes())).collect()
}

/// The expression inside the capture group of this name.
fn group<'h>(hir: &'h Hir, name: &str) -> Option<&'h Hir> {
    match hir.kind() {
        HirKind::Capture(capture) if capture.name.as_deref() == Some(name) => Some(&capture.sub),
        kind => kind.subs().iter().find_map(|sub| self::group(sub, name)),
    }
}

/// Whether the expression has an anchor or a word boundary. What is extracted then depends on what is around it.
fn has_looks(hir: &Hir) -> bool {
    !hir.properties().look_set().is_empty()
}

fn printable(text: &[u8]) -> Option<String> {
    let is_printable = text.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ');
    is_printable.then(|| String::from_utf8(text.to_vec()).ok()).flatten()
}

/// Warns of `^From|To$`, in which each anchor binds to one alternative only. The whole value is matched anyway.
pub(in crate::rules) fn warn_anchors(regex: &Spanned<String>, findings: &mut Vec<Diagnostic>) {
    let text = regex.value.as_str();
    if has_top_level_alternation(text) && (text.starts_with('^') || text.ends_with('$')) {
        let message = "an anchor beside `|` binds to one alternative only";
        let hint = "the expression is matched against the whole value: leave `^` and `$` out";
        findings.push(Diagnostic::warning(codes::REGEX_ANCHOR, regex.span.clone(), message).hint(hint));
    }
}

fn has_top_level_alternation(text: &str) -> bool {
    let (mut depth, mut escaped, mut class) = (0_u32, false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            _ if class => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}
