//! What YAML can do that a reader easily misses: tags, directives, explicit keys, anchors.
//!
//! The scanner is the one beneath `serde-saphyr`, which reads the file: both see the same tokens.

use serde_saphyr::granit_parser::{Options, ScanError, Scanner, StrInput, Token, TokenType};

use super::codes::{ANCHOR, STRUCTURE, TAG};
use super::look_alike::look_alike;
use super::node::place_of;
use crate::diagnostic::{Code, Diagnostic};

/// Finds tags, directives, explicit keys and deceptive anchors.
pub(super) fn check(source: &str) -> Result<Vec<Diagnostic>, ScanError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let scanner = Scanner::with_options(StrInput::new(source), options);
    let tokens = scanner.collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<_> = tokens.iter().filter_map(indicator).collect();
    let mut anchors = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenType::Anchor(name) = token.token_type() {
            let problem = unclear(name, &anchors).or_else(|| not_on_a_whole(tokens.iter().skip(at + 1)));
            found.extend(problem.map(|(message, hint)| finding(ANCHOR, token, message, hint)));
            anchors.push(name.as_ref());
        }
    }
    Ok(found)
}

fn finding(code: Code, token: &Token<'_>, message: impl Into<String>, hint: &str) -> Diagnostic {
    Diagnostic::error(code, place_of(&token.span()), message).hint(hint)
}

/// What a single token does.
fn indicator(token: &Token<'_>) -> Option<Diagnostic> {
    let (code, message, hint) = match token.token_type() {
        TokenType::VersionDirective(..) | TokenType::TagDirective(..) | TokenType::ReservedDirective(..) => {
            (STRUCTURE, "a directive changes how the file is read", "remove this line: files are YAML 1.2")
        }
        TokenType::DocumentEnd => {
            (STRUCTURE, "`...` ends the document before the end of the file", "remove this line")
        }
        // The key of a plain `key: value` has no sign of its own.
        TokenType::Key if token.span().start != token.span().end => {
            (STRUCTURE, "`?` begins a key that can look like an entry", "write `key: value`")
        }
        TokenType::Tag(..) => (
            TAG,
            "a tag changes what a value is",
            "remove the tag: each value has the type that its key needs",
        ),
        _ => return None,
    };
    Some(finding(code, token, message, hint))
}

/// What is wrong with an anchor's name, after these anchors.
fn unclear(name: &str, earlier: &[&str]) -> Option<(String, &'static str)> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        let message = "an anchor's name has ASCII letters, digits, hyphens and underscores only";
        return Some((message.to_owned(), "rename the anchor and its aliases"));
    }
    if earlier.contains(&name) {
        let message = format!("the anchor `{name}` is defined twice");
        return Some((
            message,
            "`*name` would mean one thing above this line and another below it: rename one",
        ));
    }
    let twin = earlier.iter().find(|other| look_alike(name, other))?;
    Some((format!("the anchor `{name}` is easily taken for `{twin}`"), "rename one"))
}

/// What is wrong with an anchor that is followed by these tokens.
fn not_on_a_whole<'t>(mut rest: impl Iterator<Item = &'t Token<'t>>) -> Option<(String, &'static str)> {
    let node = rest.find(|token| !matches!(token.token_type(), TokenType::Tag(..)))?;
    let is_whole = matches!(
        node.token_type(),
        TokenType::BlockMappingStart
            | TokenType::BlockSequenceStart
            | TokenType::BlockEntry
            | TokenType::FlowMappingStart
            | TokenType::FlowSequenceStart
    );
    let hint = "anchors are for whole mappings and lists: write the value where it is used";
    (!is_whole).then(|| ("an anchor on a single value hides the value where it is used".to_owned(), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes, each with the text that it is about.
    fn found(source: &str) -> Vec<(&'static str, &str)> {
        let found = check(source).unwrap();
        found.into_iter().map(|it| (it.code.as_str(), source.get(it.span.unwrap()).unwrap())).collect()
    }

    #[test]
    fn tags_directives_explicit_keys_and_document_ends_are_found() {
        assert_eq!(
            found("a: !foo b\nc: !!str d\ne: !<x:y> f"),
            [("G0005", "!foo"), ("G0005", "!!str"), ("G0005", "!<x:y>")]
        );
        assert_eq!(found("%YAML 1.1\n---\na: b\n")[0].0, "G0007");
        assert_eq!(found("%TAG !e! tag:example.com,2026:\n---\na: b\n")[0].0, "G0007");
        assert_eq!(found("%FOO\n---\na: b\n")[0].0, "G0007");
        assert_eq!(found("? a\n: b\n"), [("G0007", "?")]);
        assert_eq!(found("{ ? a : b }"), [("G0007", "?")]);
        assert_eq!(found("a: b\n...\n# c\n"), [("G0007", "...")]);
    }

    #[test]
    fn plain_structure_passes() {
        for source in
            ["---\na: b\n", "a: '!foo'\nb: x!y\n# !foo &a ? ...\n", "a: [b?, '? c']\n\"d\": { e: f }\n"]
        {
            assert_eq!(found(source), [], "{source}");
        }
    }

    #[test]
    fn anchors_are_for_whole_mappings_and_lists_and_are_defined_once() {
        for whole in ["&a [b]", "&a { b: c }", "&a\n  b: c", "&a # why\n  b: c", "&a\n- b", "&a\n  - b"] {
            assert_eq!(found(&format!("x: {whole}\ny: *a\n")), [], "{whole}");
        }
        for single in ["x: &a b", "x: &a 'b'", "x: &a", "x: [&a b]", "&a x: b", "[&a b: c]", "x: &a\n  b"] {
            assert_eq!(found(single), [("G0006", "&a")], "{single}");
        }
        assert_eq!(found("x: &a [b]\ny: &a [c]\n"), [("G0006", "&a")]);
        assert_eq!(found("x: &a1 [b]\ny: &al [c]\n"), [("G0006", "&al")]);
        assert_eq!(found("x: &ä [b]\n"), [("G0006", "&ä")]);
        assert_eq!(found("x: &a [b]\ny: &b [c]\n"), []);
    }
}
