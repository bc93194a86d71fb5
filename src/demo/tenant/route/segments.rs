//! The path's segments, decoded once. A key in parentheses becomes a segment.

use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::odata::percent_decoded;

/// One segment: a name or a key, depending on its position.
#[derive(Debug, PartialEq)]
pub(in crate::demo::tenant) struct Segment(String);

impl Segment {
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is this resource name, in any letter case.
    pub(in crate::demo::tenant) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Whether it is this function or type, with or without its namespace (or the namespace's alias) and `()`.
    pub(super) fn is_qualified(&self, name: &str) -> bool {
        let lower = self.0.to_lowercase();
        let bare =
            lower.strip_prefix("microsoft.graph.").or_else(|| lower.strip_prefix("graph.")).unwrap_or(&lower);
        bare.strip_suffix("()").unwrap_or(bare) == name
    }

    pub(super) fn unknown(&self) -> Fault {
        Fault::Segment(self.0.clone())
    }
}

/// Splits `/Users('a''b')/messages/` into `Users`, `a'b`, `messages`.
pub(super) fn parse(path: &str) -> Vec<Segment> {
    let decoded = path.split('/').filter(|segment| !segment.is_empty()).map(percent_decoded);
    decoded.flat_map(|segment| with_key(&segment)).map(Segment).collect()
}

fn with_key(segment: &str) -> Vec<String> {
    let inside = segment.strip_suffix(')').and_then(|segment| segment.split_once('('));
    match inside.and_then(|(name, argument)| Some((name, key(argument)?))) {
        Some((name, key)) => vec![name.to_owned(), key],
        None => vec![segment.to_owned()],
    }
}

/// `'key'`, or an alternate key by its name: `userPrincipalName='key'`.
fn key(argument: &str) -> Option<String> {
    let start = argument.find('\'')?;
    let quoted = argument.split_at_checked(start)?.1;
    Some(quoted.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn texts(path: &str) -> Vec<String> {
        parse(path).iter().map(|segment| segment.text().to_owned()).collect()
    }

    #[test]
    fn keys_as_segment_and_in_parentheses_are_alike() {
        assert_eq!(texts("/v1.0/users('a')/messages/"), texts("/v1.0/users/a/messages"));
        assert_eq!(texts("/users(userPrincipalName='o''x')"), ["users", "o'x"]);
        assert_eq!(texts("/users/a%40b%2Fc"), ["users", "a@b/c"]);
    }

    #[test]
    fn functions_are_recognised_in_all_spellings() {
        for spelling in
            ["delta", "delta()", "microsoft.graph.delta()", "Microsoft.Graph.Delta", "graph.delta"]
        {
            assert!(parse(spelling)[0].is_qualified("delta"), "{spelling}");
        }
        assert!(!parse("deltas")[0].is_qualified("delta"));
    }
}
