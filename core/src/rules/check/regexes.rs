//! Regular expressions of a rules file: within limits, and matched against the whole value.

use regex::{Regex, RegexBuilder};

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
