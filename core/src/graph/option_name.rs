//! The name of a query option, with `$` or without, in any letter case.

/// A query option's name.
///
/// System options have one spelling here. Graph's own options (`startDateTime`) and OData options that are not in the
/// list (`$index`) keep their received spelling, and compare without letter case.
#[derive(Clone, Debug)]
pub enum OptionName {
    /// `$apply`.
    Apply,
    /// `$compute`.
    Compute,
    /// `$count`.
    Count,
    /// Any other name, as received.
    Custom(String),
    /// `$deltatoken`.
    DeltaToken,
    /// `$expand`.
    Expand,
    /// `$filter`.
    Filter,
    /// `$format`.
    Format,
    /// `$orderby`.
    OrderBy,
    /// `$search`.
    Search,
    /// `$select`.
    Select,
    /// `$skip`.
    Skip,
    /// `$skiptoken`.
    SkipToken,
    /// `$top`.
    Top,
}

const SYSTEM: [OptionName; 13] = [
    OptionName::Apply,
    OptionName::Compute,
    OptionName::Count,
    OptionName::DeltaToken,
    OptionName::Expand,
    OptionName::Filter,
    OptionName::Format,
    OptionName::OrderBy,
    OptionName::Search,
    OptionName::Select,
    OptionName::Skip,
    OptionName::SkipToken,
    OptionName::Top,
];

impl OptionName {
    /// The name that a decoded text spells, or `None` if it is not a plain name (letters, digits, `_`, `-`, `.`, and
    /// one `$` in front). Parameter aliases (`@p`) are not plain names.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('$').unwrap_or(text);
        let system = SYSTEM.iter().find(|option| option.bare().eq_ignore_ascii_case(bare));
        match system {
            Some(option) => Some(option.clone()),
            None => is_plain(bare).then(|| Self::Custom(text.to_owned())),
        }
    }

    /// The canonical spelling: `$select`, or a custom name as received.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Apply => "$apply",
            Self::Compute => "$compute",
            Self::Count => "$count",
            Self::Custom(name) => name,
            Self::DeltaToken => "$deltatoken",
            Self::Expand => "$expand",
            Self::Filter => "$filter",
            Self::Format => "$format",
            Self::OrderBy => "$orderby",
            Self::Search => "$search",
            Self::Select => "$select",
            Self::Skip => "$skip",
            Self::SkipToken => "$skiptoken",
            Self::Top => "$top",
        }
    }

    /// Whether only Graph can interpret the value.
    pub(crate) const fn is_opaque(&self) -> bool {
        matches!(self, Self::DeltaToken | Self::SkipToken)
    }

    /// Whether a server that ignores letter case and `$` takes both for one option.
    pub(super) fn collides_with(&self, other: &Self) -> bool {
        self.bare().eq_ignore_ascii_case(other.bare())
    }

    fn bare(&self) -> &str {
        let name = self.as_str();
        name.strip_prefix('$').unwrap_or(name)
    }
}

impl PartialEq for OptionName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for OptionName {}

fn is_plain(bare: &str) -> bool {
    bare.starts_with(|first: char| first.is_ascii_alphabetic())
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_names_fold_letter_case_and_the_dollar() {
        for spelling in ["$select", "select", "$SELECT", "Select"] {
            assert_eq!(OptionName::parse(spelling), Some(OptionName::Select), "{spelling}");
        }
        assert_eq!(OptionName::parse("$skipToken").unwrap().as_str(), "$skiptoken");
        for option in SYSTEM {
            assert_eq!(OptionName::parse(option.as_str()), Some(option.clone()));
        }
    }

    #[test]
    fn custom_names_keep_their_spelling_and_compare_without_case() {
        let name = OptionName::parse("startDateTime").unwrap();
        assert_eq!(name.as_str(), "startDateTime");
        assert_eq!(name, OptionName::Custom("STARTDATETIME".to_owned()));
        assert_eq!(OptionName::parse("$index").unwrap().as_str(), "$index");
        assert_ne!(OptionName::parse("$index"), OptionName::parse("index"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for name in ["", "$", "$$select", " $select", "select ", "@p", "a b", "a/b", "a(", "é", "1"] {
            assert_eq!(OptionName::parse(name), None, "{name:?}");
        }
    }
}
