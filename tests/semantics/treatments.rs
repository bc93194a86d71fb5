//! Each treatment: its output for values that it understands. Values that it does not understand are dropped and
//! counted. Tokens are those of the tables in docs/PSEUDONYMS.md.

use super::{leaves, response};
use crate::support::sanitizing::{errors, rules_file};

const ALICE: &str = "t~Ae7qEwfKppxmC9Gi5ttyc2CFy3HYVTZZv@contoso.com";
const BOB: &str = "t~AsoxxBYBtwxJIqpmY6OuJ51N6m2fwYjAG@d~A0WTRxkTHa6vKVfCW37XjpUlW624SJ5Fw";
const GUID: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";

/// The value that leaves as `$.a`.
fn treated(treatment: &str, value: &str) -> Option<String> {
    let left = leaves(&format!("{{ {treatment} }}"), &format!("{{\"a\":{value}}}"));
    let inner = left.strip_prefix("{\"a\":").map(|rest| rest.strip_suffix('}').unwrap().to_owned());
    assert!(inner.is_some() || left == "{}", "{left}");
    inner
}

pub(super) const TREATMENTS: &[(&str, &str)] = &[
    ("pseudonymize: [{ path: $.a, as: email }]", "Alice.Smith@Contoso.com"),
    ("pseudonymize: [{ path: $.a, as: email_list }]", "Bob <bob@fabrikam.example>"),
    ("pseudonymize: [{ path: $.a, as: id }]", GUID),
    ("pseudonymize: [{ path: $.a, as: id, reversible: true }]", GUID),
    ("pseudonymize: [{ path: $.a, as: thread }]", "AAQkADQ3Y2U4ZDkx"),
    ("pseudonymize: [{ path: $.a, as: message_id }]", "<a@b>"),
    ("pseudonymize: [{ path: $.a, as: text }]", "secret"),
    ("match: [{ path: $.a, regex: '(?<x>smtp):.*', keep: x }]", "smtp:secret"),
    ("domain: [$.a]", "alice@contoso.com"),
    ("digest: [$.a]", "secret"),
    ("truncate_time: [{ path: $.a, to: day }]", "2021-03-09T13:47:49Z"),
    ("hash_ip: [$.a]", "192.0.2.1"),
    ("reply_depth: [$.a]", "AQHaa4wvh9NJ7UTXQ+Gag18kBt7lvYAAASoQgAChssA="),
    ("link: [$.a]", "https://graph.microsoft.com/v1.0/users"),
];

#[test]
fn what_each_treatment_makes() {
    let digest = r#"{"length":9,"words":2}"#;
    for (treatment, value, expected) in [
        ("keep: { text: [$.a] }", "x", "\"x\""),
        ("pseudonymize: [{ path: $.a, as: email }]", "Alice.Smith@Contoso.com", &format!("\"{ALICE}\"")),
        (
            "pseudonymize: [{ path: $.a, as: email_list }]",
            "Alice.Smith@contoso.com; bob@Fabrikam.example",
            &format!("\"{ALICE}, {BOB}\""),
        ),
        ("pseudonymize: [{ path: $.a, as: id }]", GUID, "\"t~ARIl81fzpKf-oZYrKpGQ0YNR_kS0SprpN\""),
        (
            "pseudonymize: [{ path: $.a, as: id, reversible: true }]",
            "x",
            "\"p~AINdjg_TAU2Zxx6oV2-mn2NLU8BU7N4gWJ80mv72zVKCBsP7STOd2NXCqWIbhaVz7HmTlUF93fSLDC9upwyzaFA\"",
        ),
        (
            "pseudonymize: [{ path: $.a, as: thread }]",
            "AAQkADQ3Y2U4ZDkx",
            "\"t~AksLtdy8N6oY9YUJxphU6Y18MsiYx8vDB\"",
        ),
        ("pseudonymize: [{ path: $.a, as: text }]", "Grüße", "\"t~Ah504ZCiJtovZLAICzGukF-u-Ycg2lvMe\""),
        ("domain: [$.a]", "alice.smith@contoso.com", "\"contoso.com\""),
        ("domain: [$.a]", "@FABRIKAM.example", "\"d~A0WTRxkTHa6vKVfCW37XjpUlW624SJ5Fw\""),
        ("digest: [$.a]", "two words", digest),
        ("truncate_time: [{ path: $.a, to: hour }]", "2021-03-09T13:47:49Z", "\"2021-03-09T13:00:00Z\""),
        ("hash_ip: [$.a]", "192.0.2.1", "\"t~AEW6xbp4pzzYc5Za57r3L2eLZxz_2R9C_\""),
        ("reply_depth: [$.a]", "AQHaa4wvh9NJ7UTXQ+Gag18kBt7lvYAAASoQgAChssA=", "2"),
        (
            "link: [$.a]",
            "https://graph.microsoft.com/v1.0",
            "\"https://proxy.example/v1.0/users?$skiptoken=76312e30\"",
        ),
    ] {
        assert_eq!(treated(treatment, &format!("\"{value}\"")).as_deref(), Some(expected), "{treatment}");
    }
}

#[test]
fn a_reader_of_escapes_sees_the_same_value() {
    let email = "pseudonymize: [{ path: $.a, as: email }]";
    assert_eq!(treated(email, r#""\u0061lice.smith\u0040contoso.com""#), Some(format!("\"{ALICE}\"")));
    assert_eq!(treated("keep: { text: [$.a] }", r#""\u0061\/\"""#).as_deref(), Some(r#""\u0061\/\"""#));
}

#[test]
fn null_stays_null_where_its_leaf_may_leave() {
    for (treatment, _) in TREATMENTS.iter().chain([&("keep: { text: [$.a] }", "")]) {
        assert_eq!(treated(treatment, "null").as_deref(), Some("null"), "{treatment}");
    }
    assert_eq!(treated("keep: { text: [$.b] }", "null"), None);
    assert_eq!(treated("keep: { text: [$.a] }, redact: [$.a]", "null"), None);
    assert_eq!(treated("keep: { text: [$.a.b] }", "null"), None);
}

#[test]
fn empty_values_become_null_where_there_is_nothing_to_count() {
    for (treatment, _) in TREATMENTS.iter().filter(|(treatment, _)| treatment.starts_with("pseudonymize")) {
        assert_eq!(treated(treatment, "\"\"").as_deref(), Some("null"), "{treatment}");
    }
    assert_eq!(treated("digest: [$.a]", "\"\"").as_deref(), Some(r#"{"length":0,"words":0}"#));
}

#[test]
fn a_transform_of_something_else_than_a_string_drops_and_counts_it() {
    for (treatment, text) in TREATMENTS {
        let shape = format!("{{ {treatment} }}");
        let (left, counters) = response(&shape, &format!("{{\"a\":\"{text}\"}}"));
        assert!(left.starts_with("{\"a\":") && !left.contains("secret"), "{treatment}: {left}");
        assert_eq!((counters.transformed, counters.not_understood), (1, 0), "{treatment}");
        // A link that is dropped would end the consumer's walk: see the refusals.
        if treatment.starts_with("link") {
            continue;
        }
        for value in ["17", "-0.5", "true", "false", "{\"secret\":1}", "[\"secret\"]"] {
            let (left, counters) = response(&shape, &format!("{{\"a\":{value}}}"));
            assert_eq!((left.as_str(), counters.not_understood), ("{}", 1), "{treatment}: {value}");
        }
    }
}

#[test]
fn a_string_that_is_not_understood_is_dropped_and_counted() {
    for (treatment, value) in [
        ("match: [{ path: $.a, regex: '(?<x>smtp):.*', keep: x }]", "x500:/o=secret"),
        ("domain: [$.a]", "Alice Secret"),
        ("truncate_time: [{ path: $.a, to: minute }]", "yesterday"),
        ("hash_ip: [$.a]", "300.1.1.1"),
        ("reply_depth: [$.a]", "AQHaa4wvh9NJ7UTXQ+Gag18kBt7lvYAA"),
    ] {
        let (left, counters) =
            response(&format!("{{ {treatment} }}"), &format!("{{\"a\":\"{value}\",\"b\":1}}"));
        assert_eq!((left.as_str(), counters.not_understood), ("{}", 1), "{treatment}");
    }
}

#[test]
fn odd_addresses_are_pseudonymised_never_passed_and_never_an_error() {
    for odd in [
        "/o=ExchangeLabs/ou=x/cn=alice",
        "Alice Smith",
        "a@b@c",
        "\\u0000",
        "@",
        "alice",
        "undisclosed-recipients:;",
    ] {
        let left = treated("pseudonymize: [{ path: $.a, as: email }]", &format!("\"{odd}\"")).unwrap();
        assert!(left.starts_with("\"t~A") && !left.to_lowercase().contains("alice"), "{odd}: {left}");
    }
}

#[test]
fn a_match_is_over_the_whole_value() {
    let matched = |regex: &str, parts: &str, value: &str| {
        treated(&format!("match: [{{ path: $.a, regex: '{regex}', {parts} }}]"), &format!("\"{value}\""))
    };
    let token = "keep: kind, pseudonymize: { group: rest, as: email }";
    let regex = "(?<kind>SMTP:|smtp:)(?<rest>.+)";
    assert_eq!(matched(regex, token, "SMTP:alice.smith@contoso.com"), Some(format!("\"SMTP:{ALICE}\"")));
    for other in ["x500:/o=x", "xsmtp:a@b.c", "smtp:", "smtp:a@b.c\\nsecret", "", " smtp:a@b.c"] {
        assert_eq!(matched(regex, token, other), None, "{other}");
    }
    assert_eq!(matched("(?<k>a)|b", "keep: k", "a").as_deref(), Some("\"a\""));
    assert_eq!(matched("(?<k>a)|b", "keep: k", "b"), None, "the group took no part");
    assert_eq!(matched("(?<k>a)|b", "keep: k", "ab"), None);
    assert_eq!(
        matched("(?<k>a(?<r>b))", "keep: k, pseudonymize: { group: r, as: text }", "ab"),
        None,
        "overlap"
    );
    assert_eq!(matched(r#"(?<k>a"b|c)"#, "keep: k", "a\\\"b").as_deref(), Some(r#""a\"b""#));
}

#[test]
fn the_pseudonymised_group_may_stand_first() {
    let shape = "match: [{ path: $.a, regex: '(?<who>[^ ]+)(?<rest> wrote)', keep: rest, pseudonymize: { group: who, as: email } }]";
    assert_eq!(treated(shape, "\"alice.smith@contoso.com wrote\""), Some(format!("\"{ALICE} wrote\"")));
}

#[test]
fn a_number_that_could_spell_a_text_is_dropped_and_counted() {
    let digits = "4".repeat(32);
    for (number, leaves) in
        [(digits.clone(), true), (format!("{digits}2"), false), (format!("-{digits}"), false)]
    {
        let (left, counters) = response("{ keep: { numbers: [$.a] } }", &format!("{{\"a\":{number}}}"));
        assert_eq!(left == format!("{{\"a\":{number}}}"), leaves, "{number}");
        assert_eq!((counters.kept, counters.not_understood), (leaves.into(), (!leaves).into()), "{number}");
    }
}

/// `unlisted: keep` is about what no line names.
#[test]
fn a_kind_of_keep_holds_also_where_everything_else_leaves() {
    let shape = "{ unlisted: keep, keep: { booleans: [$.a] } }";
    assert_eq!(response(shape, r#"{"a":"Bob","b":"Bob"}"#).0, r#"{"b":"Bob"}"#);
    assert_eq!(response(shape, r#"{"a":true}"#).0, r#"{"a":true}"#);
}

#[test]
fn two_kinds_of_keep_for_one_value_are_a_conflict() {
    let file =
        |second: &str| rules_file(&format!("  s: {{ keep: {{ times: [$.a], {second} }} }}"), "{ entity: s }");
    assert_eq!(errors(&file("booleans: [$.a]")), ["G0110", "G0110"]);
    assert_eq!(errors(&file("text: [$.a]")), ["G0110", "G0110"]);
    assert_eq!(errors(&file("booleans: [$.b]")), [""; 0]);
}

#[test]
fn over_long_strings_are_dropped_and_counted_only_where_a_transform_reads_them() {
    let long = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    let (left, counters) = response("{ pseudonymize: [{ path: $.a, as: text }] }", &long(64 * 1024));
    assert_eq!((left.len(), counters.too_long), ("{'a':''}".len() + 2 + 1 + 32, 0));
    let (left, counters) = response("{ pseudonymize: [{ path: $.a, as: text }] }", &long(64 * 1024 + 1));
    assert_eq!((left.as_str(), counters.too_long, counters.transformed), ("{}", 1, 0));
    let (left, counters) = response("{ keep: { text: [$.a] } }", &long(1 << 20));
    assert_eq!((left, counters.kept), (long(1 << 20), 1));
}
