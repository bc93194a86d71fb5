//! One path segment: which of Graph's forms it has (OData 4.01 ABNF section 1).

use super::decode;
use super::target_error::{TargetError, TargetErrorKind as Kind};

/// The namespace of Graph's types and functions, with the dot.
const NAMESPACE: &str = "microsoft.graph.";

/// The schema alias that the official Python SDK sends instead of the namespace.
const NAMESPACE_ALIAS: &str = "graph.";

/// The function that returns changes.
pub(crate) const DELTA: &str = "delta";

/// The functions that may be called in a path: those of Graph that need no arguments. A segment of such a name without
/// parentheses is the function too, as in Graph: `/users/delta` is not the user `delta`.
pub(crate) const FUNCTIONS: [&str; 6] = [
    DELTA,
    "getAllEnterpriseInteractions",
    "getAllMessages",
    "getAllRetainedMessages",
    "recent",
    "sharedWithMe",
];

/// The `$` segments of OData that a request could have.
const DOLLAR_SEGMENTS: [&str; 5] = ["$batch", "$count", "$metadata", "$ref", "$value"];

/// One step of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Segment {
    /// A type cast with its namespace, `microsoft.graph.user`; the type's own name is spelled as received.
    Cast(String),
    /// An OData segment, lower-case: `$batch`, `$count`, `$metadata`, `$ref` or `$value`.
    Dollar(String),
    /// A function call, in its canonical spelling `delta()`.
    Function(String),
    /// A key that was in parentheses and quotes: `id` of `users('id')`, unescaped. It follows the
    /// [`Segment::Plain`] name in front of the parentheses.
    Key(String),
    /// A name or a key, decoded once; the endpoint's template decides which. One that holds `/` can only be a key.
    Plain(String),
}

/// Parses the received segment at byte `position` of the target and appends its meaning: one step, or two for
/// `name('key')`.
pub(super) fn parse_into(raw: &str, position: usize, segments: &mut Vec<Segment>) -> Result<(), TargetError> {
    let text = decode::percent(raw, position)?;
    let fail = |kind| TargetError::new(kind, position);
    check(&text).map_err(fail)?;
    if text.bytes().any(|byte| matches!(byte, b'(' | b')')) {
        return parse_call(&text, segments).map_err(fail);
    }
    check_unquoted(&text).map_err(fail)?;
    segments.push(parse_simple(text).map_err(fail)?);
    Ok(())
}

fn check(text: &str) -> Result<(), Kind> {
    if text.is_empty() {
        return Err(Kind::EmptySegment);
    }
    if text.contains('%') {
        return Err(Kind::DoubleEncoding);
    }
    if text.contains('\\') {
        return Err(Kind::Backslash);
    }
    if text.trim() != text {
        return Err(Kind::EdgeSpace);
    }
    Ok(())
}

fn check_unquoted(text: &str) -> Result<(), Kind> {
    // A decoded `/` makes this a key. A server that decodes before it splits would read `a/../b` as a dot segment.
    check_dots(text)?;
    if text.bytes().any(|byte| matches!(byte, b';' | b'?')) {
        return Err(Kind::ReservedCharacter);
    }
    Ok(())
}

/// Three dots and more are refused with the rest: some file systems read them as two.
fn check_dots(text: &str) -> Result<(), Kind> {
    let is_dots = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'.');
    if text.split('/').any(is_dots) { Err(Kind::DotSegment) } else { Ok(()) }
}

/// `name('key')` or `function()`; everything else with a parenthesis is refused.
fn parse_call(text: &str, segments: &mut Vec<Segment>) -> Result<(), Kind> {
    let (name, arguments) = text.split_once('(').ok_or(Kind::Key)?;
    let inside = arguments.strip_suffix(')').ok_or(Kind::Key)?;
    if inside.is_empty() {
        segments.push(Segment::Function(function(name).ok_or(Kind::UnknownFunction)?));
        return Ok(());
    }
    if !is_identifier(name) {
        return Err(Kind::Key);
    }
    if has_argument(inside) {
        return Err(Kind::Arguments);
    }
    let key = unquote(inside).ok_or(Kind::Key)?;
    check_key(&key)?;
    segments.push(Segment::Plain(name.to_owned()));
    segments.push(Segment::Key(key));
    Ok(())
}

/// Whether the parentheses begin with a named argument: `period='D30'`.
fn has_argument(inside: &str) -> bool {
    inside.split_once('=').is_some_and(|(name, value)| is_identifier(name) && !value.is_empty())
}

fn check_key(key: &str) -> Result<(), Kind> {
    if key.is_empty() {
        return Err(Kind::EmptyKey);
    }
    if key.trim() != key {
        return Err(Kind::EdgeSpace);
    }
    check_dots(key)
}

/// The text of an OData string literal, in which `''` stands for `'`.
fn unquote(literal: &str) -> Option<String> {
    let inside = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = inside.replace("''", "'");
    let written_again = unescaped.replace('\'', "''");
    (written_again == inside).then_some(unescaped)
}

fn parse_simple(text: String) -> Result<Segment, Kind> {
    if text.starts_with('$') {
        let folded = text.to_ascii_lowercase();
        let is_known = DOLLAR_SEGMENTS.contains(&folded.as_str());
        return if is_known { Ok(Segment::Dollar(folded)) } else { Err(Kind::UnknownDollarSegment) };
    }
    if let Some(call) = function(&text) {
        return Ok(Segment::Function(call));
    }
    match strip_namespace(&text) {
        Some(type_name) if type_name.split('.').all(is_identifier) => {
            Ok(Segment::Cast(format!("{NAMESPACE}{type_name}")))
        }
        // A user principal name may begin with `graph.`; it always holds an `@`, which no type name does.
        Some(_) if !text.contains('@') => Err(Kind::Cast),
        _ => Ok(Segment::Plain(text)),
    }
}

/// The call of a function of [`FUNCTIONS`] in its canonical spelling: `delta()` for `Delta` and `microsoft.graph.delta`.
pub fn function(name: &str) -> Option<String> {
    let name = strip_namespace(name).unwrap_or(name);
    let known = FUNCTIONS.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.map(|known| format!("{known}()"))
}

fn strip_namespace(text: &str) -> Option<&str> {
    [NAMESPACE, NAMESPACE_ALIAS].into_iter().find_map(|prefix| {
        let (head, tail) = text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(tail)
    })
}

/// An OData identifier, of which Graph uses the ASCII part only.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
