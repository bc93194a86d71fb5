//! Paths: RFC 9535 JSONPath, narrowed to what a streaming matcher can follow.
//!
//! `jsonpath-rust` parses. This module accepts names, unions, `[*]`, non-negative indexes, and slices that count from
//! the start in steps of one. It refuses filters, negative indexes and other steps, each with its own message: they
//! need the end of an array, or a value before it is known whether it may leave. Where a rule writes, `..` is refused:
//! it would let out property names that no rule spells. For the same reason `[*]` means only the elements of an array
//! where a rule writes. In `redact` it means elements *and* members, as in RFC 9535.

use std::ops::Range;

use jsonpath_rust::parser::model::{Segment, Selector as Parsed};
use jsonpath_rust::parser::parse_json_path;

use super::codes;
use crate::diagnostic::Diagnostic;
use crate::yaml::Spanned;

/// The largest array index a path may name. The matcher has a state for each index up to the largest.
const MAX_INDEX: u32 = 255;
/// The most steps a path may have. Graph nests fewer than ten deep.
const MAX_STEPS: usize = 32;

/// A path below the root of an object, at least one step long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
}

/// One step: to a child or, with `..`, to a child of any descendant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) descend: bool,
    pub(super) selectors: Vec<Selector>,
}

/// Which children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selector {
    Name(String),
    /// Every element of an array.
    Elements,
    /// Every element of an array and every member of an object.
    Everything,
    /// The elements from `start` up to, not including, `end`.
    Slice {
        start: u32,
        end: Option<u32>,
    },
}

/// What a path is for. It decides which selectors the path may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A treatment that lets something leave.
    Write,
    /// `redact`.
    Redact,
}

impl Path {
    /// Parses `text`, reporting what is wrong with it; `None` if it cannot be used.
    pub(super) fn parse(text: &Spanned<String>, usage: Use, findings: &mut Vec<Diagnostic>) -> Option<Self> {
        match parse(&text.value, usage) {
            Ok(path) => {
                warn_quoted_brackets(text, findings);
                Some(path)
            }
            Err(reason) => {
                findings.push(reason.diagnostic(&text.span));
                None
            }
        }
    }

    /// A path of one name, for envelopes.
    pub(super) fn name(name: &str) -> Self {
        Self { steps: vec![Step::to(Selector::Name(name.to_owned()))] }
    }

    /// The names of the arrays at the start of this path, if it goes on in each of their elements.
    pub(super) fn first_arrays(&self) -> impl Iterator<Item = &str> {
        let first = match self.steps.as_slice() {
            [first, second, ..] if second.selectors.contains(&Selector::Elements) => Some(first),
            _ => None,
        };
        first.into_iter().flat_map(|step| &step.selectors).filter_map(|selector| match selector {
            Selector::Name(name) => Some(name.as_str()),
            Selector::Elements | Selector::Everything | Selector::Slice { .. } => None,
        })
    }

    /// This path, then every element.
    pub(super) fn elements(mut self) -> Self {
        self.steps.push(Step::to(Selector::Elements));
        self
    }

    /// This path, then the member `name`.
    pub(super) fn member(mut self, name: &str) -> Self {
        self.steps.push(Step::to(Selector::Name(name.to_owned())));
        self
    }
}

impl Step {
    fn to(selector: Selector) -> Self {
        Self { descend: false, selectors: vec![selector] }
    }
}

/// Why a path cannot be used.
enum Reason {
    Syntax,
    AnnotationShorthand,
    Root,
    Descendant,
    Filter,
    NegativeIndex,
    Slice,
    IndexTooLarge,
    TooLong,
    Escape,
    SpaceAtEnd,
}

impl Reason {
    fn diagnostic(&self, span: &Range<usize>) -> Diagnostic {
        let error = |code, message: &str| Diagnostic::error(code, span.clone(), message);
        match self {
            Self::Syntax => error(codes::PATH_SYNTAX, "this is not a JSONPath (RFC 9535)")
                .hint("write it as in `$.from.emailAddress.address` or `$.toRecipients[*]`"),
            Self::AnnotationShorthand => error(codes::PATH_SYNTAX, "this is not a JSONPath (RFC 9535)")
                .hint("put quotes around names with `@` or other signs, as in `$['@odata.type']`"),
            Self::Root => error(codes::PATH_ROOT, "this path selects the whole object")
                .hint("name the properties one by one"),
            Self::Descendant => error(codes::PATH_DESCENDANT, "`..` can only be used in `redact`")
                .hint("it would walk through properties that the rules do not name; spell the path out"),
            Self::Filter => error(codes::PATH_SELECTOR, "filter selectors (`?`) cannot be used")
                .hint("the value would have to be read before it is known whether it may leave"),
            Self::NegativeIndex => error(codes::PATH_SELECTOR, "negative indexes cannot be used")
                .hint("the array's length is not known while it streams; count from the start"),
            Self::Slice => error(codes::PATH_SELECTOR, "only slices that go forward by one can be used")
                .hint("write `[2:5]`, `[2:]` or `[:5]`"),
            Self::IndexTooLarge => {
                error(codes::PATH_SELECTOR, &format!("indexes over {MAX_INDEX} cannot be used"))
            }
            Self::TooLong => error(codes::TOO_LARGE, &format!("a path can have {MAX_STEPS} steps at most")),
            Self::Escape => error(codes::PATH_NAME, "a backslash in a path stands for another character")
                .hint("write the property's name itself, as in `$['@odata.type']`"),
            Self::SpaceAtEnd => error(codes::PATH_NAME, "a name in this path begins or ends with a space")
                .hint("it is not the property that it looks like: remove the space"),
        }
    }
}

fn parse(text: &str, usage: Use) -> Result<Path, Reason> {
    let query = parse_json_path(text).map_err(|_| syntax_reason(text))?;
    if query.segments.is_empty() {
        return Err(Reason::Root);
    }
    if query.segments.len() > MAX_STEPS {
        return Err(Reason::TooLong);
    }
    let steps = query.segments.iter().map(|segment| step(segment, usage)).collect::<Result<_, _>>()?;
    if text.contains('\\') { Err(Reason::Escape) } else { Ok(Path { steps }) }
}

fn syntax_reason(text: &str) -> Reason {
    if text.contains(".@") { Reason::AnnotationShorthand } else { Reason::Syntax }
}

fn step(segment: &Segment, usage: Use) -> Result<Step, Reason> {
    match segment {
        Segment::Descendant(_) if usage == Use::Write => Err(Reason::Descendant),
        Segment::Descendant(inner) => Ok(Step { descend: true, ..step(inner, usage)? }),
        Segment::Selector(one) => Ok(Step { descend: false, selectors: vec![selector(one, usage)?] }),
        Segment::Selectors(many) => {
            let selectors = many.iter().map(|one| selector(one, usage)).collect::<Result<_, _>>()?;
            Ok(Step { descend: false, selectors })
        }
    }
}

fn selector(parsed: &Parsed, usage: Use) -> Result<Selector, Reason> {
    match parsed {
        Parsed::Name(name) if name.trim() != name => Err(Reason::SpaceAtEnd),
        Parsed::Name(name) => Ok(Selector::Name(name.clone())),
        Parsed::Wildcard if usage == Use::Write => Ok(Selector::Elements),
        Parsed::Wildcard => Ok(Selector::Everything),
        Parsed::Index(at) => {
            let start = index(*at)?;
            Ok(Selector::Slice { start, end: Some(start + 1) })
        }
        Parsed::Slice(start, end, None | Some(1)) => {
            Ok(Selector::Slice { start: start.map_or(Ok(0), index)?, end: end.map(index).transpose()? })
        }
        Parsed::Slice(..) => Err(Reason::Slice),
        Parsed::Filter(_) => Err(Reason::Filter),
    }
}

fn index(at: i64) -> Result<u32, Reason> {
    let at =
        u32::try_from(at).map_err(|_| if at < 0 { Reason::NegativeIndex } else { Reason::IndexTooLarge })?;
    if at > MAX_INDEX { Err(Reason::IndexTooLarge) } else { Ok(at) }
}

/// Warns of `$['recipients[*]']`: it names a property that is literally called so, which no Graph type has.
fn warn_quoted_brackets(text: &Spanned<String>, findings: &mut Vec<Diagnostic>) {
    let mut quote = None;
    for character in text.value.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (Some(_), '[' | ']') => {
                let message = "brackets inside quotes are part of the property's name";
                let hint = "to select elements, close the quote first, as in `$['toRecipients'][*]`";
                findings.push(
                    Diagnostic::warning(codes::PATH_QUOTED_BRACKETS, text.span.clone(), message).hint(hint),
                );
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, usage: Use) -> Option<&'static str> {
        let mut findings = Vec::new();
        let spanned = Spanned { value: text.to_owned(), span: 0..text.len() };
        let parsed = Path::parse(&spanned, usage, &mut findings);
        assert_eq!(parsed.is_none(), findings.iter().any(Diagnostic::is_error));
        findings.first().map(|finding| finding.code.as_str())
    }

    #[test]
    fn paths_that_a_writing_rule_accepts() {
        for text in
            ["$.a", "$.a.b", "$['a', 'b'].c", "$.a[*].b", "$.a[0]", "$.a[1:3]", "$.a[2:]", "$['@odata.type']"]
        {
            assert_eq!(code(text, Use::Write), None, "{text}");
        }
    }

    #[test]
    fn each_refused_path_has_its_code() {
        for (text, expected) in [
            ("a.b", "G0101"),
            ("$.@odata.type", "G0101"),
            ("$", "G0104"),
            ("$..a", "G0103"),
            ("$.a[?@.b]", "G0102"),
            ("$.a[-1]", "G0102"),
            ("$.a[::2]", "G0102"),
            ("$.a[256]", "G0102"),
            ("$['a[*]']", "G0105"),
            (r"$['sub\u006aect']", "G0106"),
            (r"$['it\'s']", "G0106"),
            ("$['subject ']", "G0106"),
            ("$[' subject']", "G0106"),
        ] {
            assert_eq!(code(text, Use::Write), Some(expected), "{text}");
        }
    }

    #[test]
    fn redact_may_descend() {
        assert_eq!(code("$..a", Use::Redact), None);
    }
}
