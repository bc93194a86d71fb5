//! What any sender of a mail can write into a text, and that it costs one value at most, never a page.

use glassine_core::sanitize::{Failure, Violation};

use super::response;
use super::treatments::TREATMENTS;
use crate::support::sanitizing::{context, sanitize};
use crate::support::surrogates::mended;

/// Texts with half of a surrogate pair, as JSON has them between quotes.
const HALVES: [&str; 6] = [
    r"\ud800",
    r"\uDfFfsecret",
    r"secret\udbff",
    r"\udc00\ud83d",
    r"a\ud83d\ud83d\ude00",
    r"\ud83d\u0041@b.c",
];

fn refused(shape: &str, document: &str) -> Option<Failure> {
    sanitize(&context(&format!("  s: {shape}"), "{ entity: s }"), document).err()
}

/// Fault: half of a surrogate pair in a text that does not leave. Outcome: the rest of the page leaves as without it.
#[test]
fn half_of_a_pair_in_what_is_dropped_costs_nothing() {
    let shape = "{ keep: { booleans: [$.b] }, nested: [{ path: $.c, shape: s }], redact: [$.r] }";
    for half in HALVES {
        for dropped in [
            format!(r#""x":"{half}""#),
            format!(r#""x":["{half}",{{"{half}":"{half}"}}]"#),
            format!(r#""{half}":true,"{half}":{{"b":"{half}"}}"#),
            format!(r#""c":{{"{half}":"{half}","b":true}}"#),
            format!(r#""r":"{half}""#),
        ] {
            let (left, counters) = response(shape, &format!(r#"{{"b":true,{dropped}}}"#));
            let c = if dropped.starts_with("\"c\"") { r#","c":{"b":true}"# } else { "" };
            assert_eq!(left, format!(r#"{{"b":true{c}}}"#), "{dropped}");
            assert_eq!((counters.not_understood, counters.too_long), (0, 0), "{dropped}");
        }
    }
}

/// Fault: half of a surrogate pair in a text that leaves in another form. Outcome: the value is dropped and counted, and the page leaves.
#[test]
fn half_of_a_pair_in_what_is_transformed_is_dropped_and_counted() {
    for (treatment, _) in TREATMENTS.iter().filter(|(treatment, _)| !treatment.starts_with("link")) {
        for half in HALVES {
            let document = format!(r#"{{"a":"{half}","x":"{half}"}}"#);
            let (left, counters) = response(&format!("{{ {treatment} }}"), &document);
            let counted = (counters.transformed, counters.not_understood, counters.too_long);
            assert_eq!((left.as_str(), counted), ("{}", (0, 1, 0)), "{treatment}: {half}");
        }
    }
    let whole = response("{ pseudonymize: [{ path: $.a, as: text }] }", r#"{"a":"\ud83d\ude00"}"#);
    assert_eq!((whole.1.transformed, whole.1.not_understood), (1, 0), "a whole pair is a character");
    assert_eq!(whole.0, response("{ pseudonymize: [{ path: $.a, as: text }] }", r#"{"a":"😀"}"#).0);
}

#[test]
fn half_of_a_pair_is_no_kept_value_of_a_kind() {
    for kind in [
        "times: [$.a]",
        "booleans: [$.a]",
        "numbers: [$.a]",
        "time_zones: [$.a]",
        "one_of: [{ path: $.a, values: [low, a] }]",
    ] {
        let (left, counters) = response(&format!("{{ keep: {{ {kind} }} }}"), r#"{"a":"low\udfff","b":1}"#);
        assert_eq!((left.as_str(), counters.not_understood, counters.kept), ("{}", 1, 0), "{kind}");
    }
}

/// Fault: half of a surrogate pair in a list of headers. Outcome: that header is dropped, and the others leave.
#[test]
fn half_of_a_pair_costs_its_own_header_only() {
    let shape = "{ headers: [{ path: $.a, tokens: { Sender: email }, flags: { list: [List-Id] } }] }";
    let kept = r#"{"name":"List-Id","value":"x"}"#;
    let flag = r#"{"name":"list","value":"true"}"#;
    for (header, counted) in [
        (r#"{"name":"Sender","value":"a\ud800@b.c"}"#, 1),
        (r#"{"value":"a\ud800@b.c","name":"Sender"}"#, 1),
        (r#"{"name":"Subject","value":"\ud800"}"#, 0),
        (r#"{"value":"\ud800","name":"Subject"}"#, 0),
        (r#"{"name":"Sender\ud800","value":"a@b.c"}"#, 0),
        (r#"{"value":"a@b.c","name":"\udc00"}"#, 0),
        (r#"{"name\ud800":"Sender","value":"a@b.c"}"#, 0),
        (r#"{"name":"Sender","value\ud800":"a@b.c"}"#, 0),
    ] {
        let (left, counters) = response(shape, &format!(r#"{{"a":[{header},{kept}]}}"#));
        assert_eq!(left, format!(r#"{{"a":[{flag}]}}"#), "{header}");
        assert_eq!((counters.transformed, counters.not_understood), (1, counted), "{header}");
    }
}

/// Fault: half of a surrogate pair in a text that leaves as written (`keep: { text }`). Outcome: the response is refused or broken off, and counts as malformed.
#[test]
fn half_of_a_pair_is_refused_only_where_it_would_leave() {
    let refusal = Some(Failure::Violation(Violation::LoneSurrogate));
    let text = "{ keep: { text: [$.a] } }";
    let all = "{ unlisted: keep, redact: [$.secret] }";
    for half in HALVES {
        for (shape, document) in [
            (text, format!(r#"{{"a":"{half}"}}"#)),
            (all, format!(r#"{{"x":["{half}"]}}"#)),
            (all, format!(r#"{{"{half}":1}}"#)),
            (all, format!(r#"{{"x":{{"{half}":null}}}}"#)),
        ] {
            assert_eq!(refused(shape, &document), refusal, "{shape}: {document}");
        }
        for (shape, document) in [
            (text, format!(r#"{{"{half}":"{half}","b":"{half}"}}"#)),
            (all, format!(r#"{{"secret":{{"{half}":"{half}"}}}}"#)),
            ("{ unlisted: keep, redact: ['$.*'] }", format!(r#"{{"{half}":1}}"#)),
        ] {
            assert_eq!(refused(shape, &document), None, "{shape}: {document}");
        }
    }
    let link = refused("{ link: [$.a] }", r#"{"a":"https://graph.microsoft.com/v1.0/\ud800"}"#);
    assert_eq!(link, Some(Failure::Violation(Violation::Link)));
}

/// Parsers that leave the half out, or replace it, could take such a name for one that the rules name.
#[test]
fn a_name_with_half_of_a_pair_is_no_name_of_the_rules() {
    let shape = "{ keep: { booleans: [$.body, $.value, $.error] } }";
    for name in [r"bo\ud800dy", r"\udc00body", r"body\udfff", r"err\ud800or", r"\ud800error"] {
        assert_eq!(response(shape, &format!(r#"{{"{name}":true}}"#)).0, "{}", "{name}");
        let twice = format!(r#"{{"body":true,"{name}":false,"{name}":true}}"#);
        assert_eq!(response(shape, &twice).0, r#"{"body":true}"#, "{name}");
    }
    assert_eq!(
        refused(shape, r#"{"body":true,"bo\u0064y":true}"#),
        Some(Failure::Violation(Violation::DuplicateProperty))
    );
}

/// Fault: NUL, noncharacters, marks of direction or a mebibyte in a text. Outcome: the value leaves as a token, or is dropped and counted.
#[test]
fn nothing_that_a_sender_writes_costs_more_than_its_value() {
    let long = "x".repeat(1 << 20);
    let texts = [
        r"\u0000",
        r"a\u0000@b.c\u0000",
        r"\ufffe\uffff\ufdd0",
        r"\udbff\udfff",
        r"\ufeffa@b.c",
        r"\u202eb.c@a\u2066",
        r"\u0085\u2028\u2029",
        r"\u0001\u001f\u007f\u0080",
        r#"\"\\\/\b\f\n\r\t"#,
        "\u{ffff}\u{10ffff}\u{7f}\u{9f}\u{feff}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "[[[[[[[[{{{{{{{{",
        "1e999999999999",
        &long,
    ];
    let kept = "{ keep: { times: [$.a] } }".to_owned();
    let shapes = TREATMENTS.iter().filter(|(treatment, _)| !treatment.starts_with("link"));
    for shape in shapes.map(|(treatment, _)| format!("{{ {treatment} }}")).chain([kept]) {
        let context = context(&format!("  s: {shape}"), "{ collection: s }");
        for text in texts {
            let page = format!(
                r#"{{"value":[{{"a":"{text}","b":"{text}"}},{{"{}":1}}]}}"#,
                &text[..text.len().min(4000)]
            );
            let (left, counters) =
                sanitize(&context, &page).unwrap_or_else(|error| panic!("{shape}: {error}"));
            assert_eq!(mended(left.as_bytes()), left.as_bytes(), "{shape}");
            assert_eq!(
                counters.transformed + counters.not_understood + counters.too_long,
                1,
                "{shape}: {left}"
            );
            assert!(!left.contains("xxxx") && left.ends_with("},{}]}"), "{shape}: {left}");
        }
    }
}
