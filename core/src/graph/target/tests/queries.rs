//! Query options: names folded, values decoded once.

use super::*;

#[test]
fn options_are_decoded_and_their_names_folded() {
    for (query, expected) in [
        ("$select=id,from", vec!["$select=id,from"]),
        ("%24Select=id%2Cfrom", vec!["$select=id,from"]),
        ("select=id&$TOP=5", vec!["$select=id", "$top=5"]),
        ("$filter=a+eq+%27x%2By%27", vec!["$filter=a eq 'x+y'"]),
        ("$filter=a%20eq%20'b=c'", vec!["$filter=a eq 'b=c'"]),
        ("startDateTime=2024&$index=0", vec!["startDateTime=2024", "$index=0"]),
        ("$top=", vec!["$top="]),
        ("x=/../../me?y", vec!["x=/../../me?y"]),
        ("$search=100%25", vec!["$search=100%"]),
        ("$skiptoken=a%252Fb", vec!["$skiptoken=a%2Fb"]),
        ("$select=id%26$expand=attachments", vec!["$select=id&$expand=attachments"]),
    ] {
        assert_eq!(options(query), expected, "{query}");
    }
}

/// `urllib`, `Uri.Builder` and string concatenation write them.
#[test]
fn empty_pairs_are_nothing() {
    for (query, expected) in [
        ("", vec![]),
        ("&", vec![]),
        ("&&&", vec![]),
        ("&$top=1", vec!["$top=1"]),
        ("$top=1&", vec!["$top=1"]),
        ("$top=1&&$skip=1", vec!["$top=1", "$skip=1"]),
    ] {
        assert_eq!(options(query), expected, "{query}");
    }
    for (query, position) in [("&&$top=1&top=1", 21), ("&=1", 13), ("&&&$select", 15)] {
        let error = Target::parse(&format!("/v1.0/users?{query}")).unwrap_err();
        assert_eq!(error.position(), position, "{query}");
    }
}

#[test]
fn malformed_queries_are_refused() {
    for (query, expected) in [
        ("$select", Kind::OptionWithoutValue),
        ("$top=1&$select", Kind::OptionWithoutValue),
        ("=", Kind::OptionName),
        ("=1", Kind::OptionName),
        ("$=1", Kind::OptionName),
        ("@p='x'", Kind::OptionName),
        ("$$top=1", Kind::OptionName),
        ("+$top=1", Kind::OptionName),
        ("$top%20=1", Kind::OptionName),
        ("$top%00=1", Kind::ControlCharacter),
        ("$filter=a%2541", Kind::DoubleEncoding),
        ("$top=1&$top=1", Kind::DuplicateOption),
        ("$top=1&top=2", Kind::DuplicateOption),
        ("$top=1&%24TOP=2", Kind::DuplicateOption),
        ("$index=1&INDEX=1", Kind::DuplicateOption),
        ("userId=1&userid=1", Kind::DuplicateOption),
    ] {
        assert_eq!(query_kind(query), expected, "{query}");
    }
}
