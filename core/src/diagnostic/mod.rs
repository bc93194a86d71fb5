//! Findings about a rules or configuration file, for its author: a code, a message, the place, a hint.
//!
//! A [`Diagnostic`] holds the meaning, a [`Report`] renders it, and [`codes!`](crate::codes!) declares the codes.

mod causes;
mod code;

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

pub use causes::Causes;
pub use code::Code;

/// One finding about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The stable code, as in `G0123`.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where: a byte range of the source; `None` when the whole file is meant.
    pub span: Option<Range<usize>>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Errors stop the file from being used; warnings do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file works, but a reviewer should know.
    Warning,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), span: Some(span), hint: None }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// The same finding with advice on what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether this finding stops the file from being used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// All findings about one file, with the text they point into.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file's name as the user gave it.
    pub file: String,
    /// The file's text.
    pub source: String,
    /// The findings, in the order of their place.
    pub diagnostics: Vec<Diagnostic>,
}

/// One finding as scripts read it (`--format json`).
#[derive(Debug, Serialize)]
pub struct Located<'a> {
    /// The file's name as the user gave it.
    pub file: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// One-based; absent when the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// One-based, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// What to do about it.
    pub hint: Option<&'a str>,
}

impl Report {
    /// Orders the findings by place.
    pub fn new(file: &str, source: &str, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(|d| d.span.as_ref().map_or(0, |span| span.start));
        Self { file: file.to_owned(), source: source.to_owned(), diagnostics }
    }

    /// Whether any finding stops the file from being used.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The findings with file, line, column, source excerpt and hint, for people.
    pub fn render(&self) -> String {
        let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "{}\n", renderer.render(&[self.group(diagnostic)]));
        }
        text
    }

    /// The findings with line and column, for scripts.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.diagnostics.iter().map(|d| {
            let place = d.span.as_ref().map(|span| line_and_column(&self.source, span.start));
            Located {
                file: &self.file,
                severity: d.severity,
                code: d.code.as_str(),
                message: &d.message,
                line: place.map(|(line, _)| line),
                column: place.map(|(_, column)| column),
                hint: d.hint.as_deref(),
            }
        })
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&diagnostic.message).id(diagnostic.code.as_str());
        let span = clamp(&self.source, diagnostic.span.clone().unwrap_or(0..0));
        let mut group = Group::with_title(title).element(
            Snippet::source(&self.source).path(&self.file).annotation(AnnotationKind::Primary.span(span)),
        );
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.message(hint));
        }
        group
    }
}

/// The renderer needs a range inside the text, on character boundaries.
fn clamp(source: &str, span: Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// The one-based line of a byte position.
pub fn line(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// One-based line and column (in characters) of a byte position.
pub fn line_and_column(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..clamp(source, at..at).start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line(source, at), column)
}

#[cfg(test)]
mod tests {
    use super::*;
    const CODE: Code = Code::new("G0001");

    fn report() -> Report {
        let source = "version: 1\nconnector: Ünlaut\n";
        let span = source.find("nlaut").unwrap()..source.len() - 1;
        let finding = Diagnostic::error(CODE, span, "not a name").hint("use lower-case letters");
        Report::new("rules.yaml", source, vec![finding])
    }

    #[test]
    fn rendering_names_code_file_line_column_excerpt_and_hint() {
        let text = report().render();
        for part in ["G0001", "not a name", "rules.yaml:2:13", "connector: Ünlaut", "use lower-case letters"]
        {
            assert!(text.contains(part), "{part:?} missing in:\n{text}");
        }
    }

    #[test]
    fn json_has_one_based_places() {
        let json = serde_json::to_value(report().located().collect::<Vec<_>>()).unwrap();
        assert_eq!(json[0]["line"], 2);
        assert_eq!(json[0]["column"], 13);
        assert_eq!(json[0]["severity"], "error");
    }

    #[test]
    fn a_span_outside_the_text_is_clamped() {
        let finding = Diagnostic::error(CODE, 5..900, "x");
        assert!(Report::new("f", "ü", vec![finding]).render().contains("G0001"));
    }
}
