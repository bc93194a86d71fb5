//! Properties: nothing panics, and what parses has one canonical text.

use proptest::prelude::*;

use super::*;

/// Pieces of targets that mean something to some server.
fn fragment() -> impl Strategy<Value = String> {
    let pieces = [
        "/",
        "//",
        "/v1.0",
        "/beta",
        "/users",
        "users",
        "delta",
        "()",
        "('",
        "')",
        "'",
        "''",
        "(",
        ")",
        "%27",
        "%28",
        "%29",
        "%2F",
        "%2e",
        "..",
        ".",
        "%25",
        "%",
        "%0",
        "%00",
        "%c0%ae",
        "%C3%A9",
        "graph.",
        "microsoft.graph.",
        "user",
        "$count",
        "$value",
        "$",
        "%24",
        "?",
        "&",
        "=",
        "$select",
        "select",
        "$filter",
        "+",
        "%20",
        ";",
        "#",
        "\\",
        "@",
        "a",
        "é",
        " ",
    ];
    prop_oneof![6 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

fn hostile_target() -> impl Strategy<Value = String> {
    (proptest::sample::select(vec!["", "/v1.0/", "/beta/"]), proptest::collection::vec(fragment(), 0..14))
        .prop_map(|(start, pieces)| start.to_owned() + &pieces.concat())
}

/// Targets that parse, in many spellings.
fn valid_target() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        "[A-Za-z]{1,8}",
        "[A-Za-z]{1,8}\\('([a-zA-Z0-9@+=]|''|%2F|%C3%A9){0,6}k'\\)",
        "k[a-zA-Z0-9@+=!*,:~'-]{0,6}(%2F|%20|%23|%C3%A9)k",
        proptest::sample::select(vec!["delta", "graph.delta()", "graph.user", "$COUNT", "%24value"])
            .prop_map(str::to_owned),
    ];
    let value = "([a-zA-Z0-9 ,'()/:;=?@!*]|%26|%2B|%20|%23|%C3%A9){0,12}"
        .prop_map(|value: String| value.replace(' ', "+"));
    let names = proptest::sample::subsequence(
        vec!["$select", "TOP", "%24filter", "userId", "$index", "skipToken"],
        0..=6,
    );
    (proptest::collection::vec(step, 0..6), names, proptest::collection::vec(value, 6)).prop_map(
        |(steps, names, values)| {
            let path: String = steps.iter().map(|step| format!("/{step}")).collect();
            let pairs: Vec<_> =
                names.iter().zip(values).map(|(name, value)| format!("{name}={value}")).collect();
            if pairs.is_empty() { format!("/v1.0{path}") } else { format!("/v1.0{path}?{}", pairs.join("&")) }
        },
    )
}

fn assert_canonical(target: &Target) {
    let canonical = target.canonical();
    // A canonical target may be longer than a target may be: one escape for each byte.
    if canonical.len() <= MAX_TARGET {
        assert_eq!(Target::parse(&canonical).as_ref(), Ok(target), "{canonical}");
        assert_eq!(Target::parse(&canonical).unwrap().canonical(), canonical);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_what_parses_is_canonical(raw in any::<String>()) {
        if let Ok(target) = Target::parse(&raw) {
            assert_canonical(&target);
        }
    }

    #[test]
    fn no_hostile_target_panics_and_what_parses_is_canonical(raw in hostile_target()) {
        if let Ok(target) = Target::parse(&raw) {
            assert_canonical(&target);
        }
    }

    #[test]
    fn valid_targets_parse_and_are_canonical(raw in valid_target()) {
        let target = Target::parse(&raw).map_err(|error| TestCaseError::fail(format!("{raw}: {error}")))?;
        assert_canonical(&target);
    }

    #[test]
    fn an_encoded_key_is_one_segment_and_adds_no_option(text in any::<String>(), value in any::<String>()) {
        let raw = encode::rebuild(Version::V1, &[plain("users"), key(&text), plain("messages")], &[("$search", &value)]);
        if let Ok(target) = Target::parse(&raw) {
            prop_assert_eq!(target.segments, vec![plain("users"), key(&text), plain("messages")]);
            prop_assert_eq!(target.options, vec![QueryOption { name: OptionName::Search, value }]);
        }
    }
}
