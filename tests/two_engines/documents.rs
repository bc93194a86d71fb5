//! Random documents, biased to the names that random rules use.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::surrogates::LONE;

/// Begins every string that is nothing but a marker; `!` ends it.
pub(super) const CANARY: &str = "canary-";
/// The bit of a style that asks for white space.
pub(super) const SPACED: u64 = 1;

/// Names that rules and documents share. The first four are common.
pub(super) fn name() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "",
        "é",
        "grüße",
        "\u{1F600}",
        "o'hara",
        "quo\"ted",
        "back\\slash",
        "a.b",
        "x y",
        "@odata.type",
        "__proto__",
        "*",
        "$",
        "[0]",
        "0",
        "tab\there",
        "\u{0}",
        "\u{7f}",
        "reason",
        "value",
    ]);
    prop_oneof![
        12 => prop::sample::select(vec!["a", "b", "id", "from"]).prop_map(str::to_owned),
        3 => odd.prop_map(str::to_owned),
        1 => prop::sample::select(vec![12, 200]).prop_map(|times| "long".repeat(times)),
    ]
}

/// An object whose strings without a meaning are canaries, no two the same.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    object(value().boxed()).prop_map(numbered)
}

/// A page as Graph sends it, and pages with something wrong.
pub(crate) fn page() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        12 => prop::collection::vec(object(value().boxed()), 0..4).prop_map(Value::Array),
        1 => value(),
    ];
    let link = prop_oneof![
        8 => Just(json!("https://graph.microsoft.com/v1.0/users?$skiptoken=x")),
        2 => Just(Value::Null),
        1 => Just(json!("https://evil.example/v1.0/users")),
    ];
    let page = (value, prop::option::of(link.clone()), prop::option::of(link), object(leaf().boxed()));
    page.prop_map(|(value, next, delta, mut page)| {
        page["value"] = value;
        let links = [("@odata.nextLink", next), ("@odata.deltaLink", delta)];
        links.into_iter().for_each(|(name, link)| link.into_iter().for_each(|link| page[name] = link));
        page["@odata.context"] = json!("$metadata#users");
        numbered(page)
    })
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 96, 6, |inner| {
        prop_oneof![
            4 => object(inner.clone().boxed()),
            1 => headers(),
            2 => prop::collection::vec(inner, 0..6).prop_map(Value::Array),
        ]
    })
}

/// A list of headers, with elements that are none.
fn headers() -> impl Strategy<Value = Value> {
    let names = vec![
        "In-Reply-To",
        "sender",
        "PRECEDENCE",
        "Auto-Submitted",
        "x-auto-response-suppress",
        "List-Id",
        "Subject",
    ];
    let values = vec![
        "<a@b>",
        "<a@b> x <c@d>",
        "bulk",
        "list",
        "no",
        "No (me)",
        "None",
        "All",
        "auto-replied; x",
        " ",
        "",
    ];
    let value = prop_oneof![3 => prop::sample::select(values).prop_map(Value::from), 1 => leaf()];
    let header = (prop::sample::select(names), value)
        .prop_map(|(name, value)| json!({ "name": name, "value": value }));
    let odd = object(leaf().boxed());
    let element = prop_oneof![8 => header, 1 => odd, 1 => leaf(), 1 => Just(json!([{ "name": "Sender", "value": "x" }]))];
    prop::collection::vec(element, 0..6).prop_map(Value::Array)
}

fn object(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![60 => name(), 1 => Just(format!("a{LONE}"))];
    let members = prop::collection::vec((name, value), 0..6);
    members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
}

fn leaf() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "",
        "Alice <alice@contoso.com>",
        "bob@fabrikam.example",
        "/o=ExchangeLabs/cn=carol",
        "a@x.com, b@y.com",
        "smtp:dora@contoso.com",
        "AQHaa4wvh9NJ7UTXQ+Gag18kBt7lvYAAASoQgAChssA=",
        "AQHaa4wvh9NJ7UTXQ+Gag18kBt7l",
        "SMTP:",
        "2024-02-29T13:47:59Z",
        "2024-02-29T13:47:59.1234567",
        "2024-02-29T13:47:59+05:30",
        "2024-02-29",
        "2023-02-29",
        "08:30:00.0000000",
        "2024-02-29T13:47:59Z, Alice",
        "W. Europe Standard Time",
        "yesterday",
        "192.0.2.1",
        "::1",
        "300.1.1.1",
        "<m@contoso.com>",
        "two words\nand a line",
        "gr\u{fc}\u{df}e \u{1F600}",
        "quote \" and \\ backslash",
        "https://graph.microsoft.com/v1.0/x",
        "https://evil.example/",
    ]);
    let lone = prop::sample::select(vec![
        LONE.to_owned(),
        format!("a{LONE}@x.com{LONE}"),
        format!("{LONE} \u{1F600}"),
    ]);
    prop_oneof![
        6 => Just(json!(CANARY)),
        6 => text.prop_map(Value::from),
        1 => lone.prop_map(Value::from),
        2 => prop::sample::select(vec![json!(null), json!(true), json!(false), json!(0), json!(-1.5), json!(1e300)]),
        1 => any::<i64>().prop_map(Value::from),
    ]
}

/// Gives each canary its own number.
fn numbered(mut document: Value) -> Value {
    fn number(value: &mut Value, next: &mut u32) {
        match value {
            Value::String(text) if text == CANARY => {
                *next += 1;
                *text = format!("{CANARY}{next}!");
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| number(element, next)),
            Value::Object(members) => members.values_mut().for_each(|member| number(member, next)),
            _ => {}
        }
    }
    number(&mut document, &mut 0);
    document
}

/// The document as text. The style's bits say where white space stands, and which characters are escaped.
pub(super) fn written(value: &Value, style: u64) -> String {
    let space = if style & SPACED == 0 { "" } else { " \n\t" };
    let inner = (style.rotate_left(5) & !SPACED) | (style & SPACED);
    match value {
        Value::String(text) => quoted(text, style),
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(|element| written(element, inner)).collect();
            format!("[{space}{}{space}]", elements.join(&format!("{space},")))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}{space}:{space}{}", quoted(name, inner), written(value, inner))
            };
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
        }
        other => other.to_string(),
    }
}

/// In place of [`LONE`], the text has one of these. No two of them are a pair, because a text has one kind.
const HALVES: [&str; 4] = [r"\ud800", r"\uDBFF", r"\udc00", r"\uDfFf"];

fn quoted(text: &str, style: u64) -> String {
    let half = HALVES[usize::try_from(style >> 7 & 3).unwrap()];
    let parts: Vec<_> = text.split(LONE).map(|part| escaped(part, style)).collect();
    format!("\"{}\"", parts.join(half))
}

fn escaped(text: &str, style: u64) -> String {
    let escaped = |(at, character): (usize, char)| {
        let chosen = style & 6 == 6 && style >> (at % 60) & 1 == 1;
        if chosen || character < ' ' || matches!(character, '"' | '\\') {
            let units =
                character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
            return units;
        }
        character.to_string()
    };
    text.chars().enumerate().map(escaped).collect()
}
