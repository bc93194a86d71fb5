//! The path's segments, decoded once. A key in parentheses becomes a segment.

use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::odata::{percent_decoded, percent_encoded};

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

/// The collections whose keys Exchange writes in parentheses, if the path goes through a folder.
const KEYED: &[&str] = &["users", "mailFolders", "childFolders", "contactFolders"];

/// The path with keys in parentheses: `/v1.0/users('a')/mailFolders('inbox')/messages`. `None` if it goes through no folder.
pub(super) fn in_key_form(path: &str) -> Option<String> {
    let segments = parse(path);
    let is_keyed = |name: &Segment| KEYED.iter().any(|keyed| name.is(keyed));
    let mut written = String::new();
    let mut folders = 0;
    let mut rest = segments.iter().peekable();
    while let Some(segment) = rest.next() {
        written.push('/');
        written.push_str(&percent_encoded(segment.text(), b"$"));
        if let Some(key) = rest.next_if(|_| is_keyed(segment)) {
            folders += usize::from(!segment.is("users"));
            written.push_str(&format!("('{}')", percent_encoded(&key.text().replace('\'', "''"), b"='")));
        }
    }
    (folders > 0).then_some(written)
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
    use super::{in_key_form, parse};

    #[test]
    fn a_path_through_a_folder_has_its_keys_in_parentheses() {
        for (path, written) in [
            (
                "/v1.0/users/a@b/mailFolders/AQ=/messages",
                Some("/v1.0/users('a%40b')/mailFolders('AQ=')/messages"),
            ),
            (
                "/beta/users('o''x')/mailFolders/inbox/childFolders",
                Some("/beta/users('o''x')/mailFolders('inbox')/childFolders"),
            ),
            ("/v1.0/users/a/mailFolders", None),
            ("/v1.0/users/a/messages", None),
        ] {
            assert_eq!(in_key_form(path).as_deref(), written, "{path}");
        }
    }

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
