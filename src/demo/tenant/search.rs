//! `$search` in the directory: `"displayName:text"`, several of them joined by `AND` or `OR`
//! (<https://learn.microsoft.com/graph/search-query-parameter>).

use serde_json::Value;

use super::odata::at_path;

/// The clauses. Empty if a request searches nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Search {
    clauses: Vec<(String, String)>,
    any: bool,
}

impl Search {
    /// Empty if the text has no clauses.
    pub(super) fn of(text: Option<&str>) -> Search {
        text.and_then(parse).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let holds = |(property, text): &(String, String)| {
            at_path(object, property).as_str().is_some_and(|value| has_word(value, text))
        };
        if self.any { self.clauses.iter().any(holds) } else { self.clauses.iter().all(holds) }
    }
}

/// Clauses in quotes, one joining word between them.
fn parse(text: &str) -> Option<Search> {
    let mut search = Search::default();
    let mut rest = text.trim();
    loop {
        let (clause, after) = rest.strip_prefix('"')?.split_once('"')?;
        let (property, wanted) = clause.split_once(':')?;
        search.clauses.push((property.to_owned(), wanted.to_lowercase()));
        if after.trim().is_empty() {
            return Some(search);
        }
        let (word, after) = after.trim().split_once(' ')?;
        search.any |= word == "OR";
        rest = ["AND", "OR"].contains(&word).then(|| after.trim())?;
    }
}

/// Whether the value, or one of its words, begins with the text.
fn has_word(value: &str, text: &str) -> bool {
    let value = value.to_lowercase();
    value.starts_with(text) || value.split([' ', '.', '@', '-', '_']).any(|word| word.starts_with(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Search;

    #[test]
    fn words_are_found_by_their_beginning() {
        let object = json!({ "displayName": "Project Heron", "mail": "project-heron@b.example" });
        let matches = |text| Search::of(Some(text)).matches(&object);
        assert!(matches(r#""displayName:her""#));
        assert!(!matches(r#""displayName:eron""#));
        assert!(matches(r#""displayName:none" OR "mail:heron""#));
        assert!(!matches(r#""displayName:none" AND "mail:heron""#));
    }

    #[test]
    fn clauses_need_quotes_and_a_property() {
        for text in ["displayName:x", r#""x""#, r#""a:b" NOT "c:d""#, "", r#""a:b"#] {
            assert!(Search::of(Some(text)).is_empty(), "{text}");
        }
    }
}
