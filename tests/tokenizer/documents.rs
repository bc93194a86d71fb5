//! Random values, random ways to write them, and documents that are almost JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// Any value, a few levels deep.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Short decimals, which read back exactly in any parser.
        (-1_000_000..1_000_000i32).prop_map(|n| Value::from(f64::from(n) / 64.0)),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((text(), inner), 0..6).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        8 => proptest::char::range(' ', '~'),
        2 => select(vec!['"', '\\', '/', '\n', '\0', '\u{1f}', '\u{7f}', '\u{80}', 'é', '€', '\u{ffff}', '😀']),
        1 => any::<char>(),
    ];
    // Characters of several bytes, some of which cross the edges of the blocks that are scanned at once.
    let wide = select(vec!['é', '€', '😀', 'x', '\n']);
    prop_oneof![
        3 => vec(character, 0..40).prop_map(String::from_iter),
        1 => vec(wide, 0..80).prop_map(String::from_iter),
    ]
}

/// A value together with one odd, valid spelling of it.
pub(super) fn written(value: impl Strategy<Value = Value>) -> impl Strategy<Value = (Value, String)> {
    (value, vec(any::<u8>(), 1..64)).prop_map(|(value, choices)| {
        let mut writer = Writer { text: String::new(), choices: choices.into_iter().cycle() };
        writer.value(&value);
        (value, writer.text)
    })
}

/// A valid document with a few bytes replaced, removed, inserted or cut off.
pub(super) fn mutated_document() -> impl Strategy<Value = Vec<u8>> {
    let mutation = (any::<proptest::sample::Index>(), 0..4u8, fragment());
    (written(value()), vec(mutation, 0..3)).prop_map(|((_, document), mutations)| {
        mutations.into_iter().fold(document.into_bytes(), |document, (index, how, fragment)| {
            let at = index.index(document.len() + 1);
            let (head, tail) = document.split_at(at);
            match how {
                0 => [head, tail.get(1..).unwrap_or_default()].concat(),
                1 => head.to_vec(),
                2 => [head, &fragment, tail].concat(),
                _ => [head, &fragment, tail.get(1..).unwrap_or_default()].concat(),
            }
        })
    })
}

/// Pieces of JSON in any order.
pub(super) fn json_like_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(fragment(), 0..24).prop_map(|fragments| fragments.concat())
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\"",
        b"\\",
        b" ",
        b"\n",
        b"\0",
        b"0",
        b"7",
        b"-",
        b"+",
        b".",
        b"e",
        b"E5",
        b"true",
        b"false",
        b"null",
        b"nul",
        b"True",
        b"NaN",
        b"\"a\"",
        b"\"a\":1",
        b"{\"k\":",
        b"[[",
        b"]]",
        b"\\n",
        b"\\u",
        b"\\u0041",
        b"\\uD83D",
        b"\\uDE00",
        b"\\uD83D\\uDE00",
        b"\\x",
        b"/*",
        b"//",
        b"'",
        b"\xef\xbb\xbf",
        b"\xc3\xa9",
        b"\xc3",
        b"\xe2\x82\xac",
        b"\xe2\x82",
        b"\xf0\x9f\x98\x80",
        b"\xf0\x9f",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff",
        b"\x7f",
        b"\x1f",
        b"\x0c",
        b"\xc2\xa0",
        b"01",
        b"1e400",
        b"-0",
    ];
    prop_oneof![4 => select(pieces).prop_map(<[u8]>::to_vec), 1 => any::<u8>().prop_map(|byte| vec![byte])]
}

/// Writes a value; each choice that JSON leaves open is made by the next of `choices`.
struct Writer<I> {
    text: String,
    choices: I,
}

impl<I: Iterator<Item = u8>> Writer<I> {
    fn value(&mut self, value: &Value) {
        self.space();
        match value {
            Value::Object(members) => self.object(members),
            Value::Array(elements) => self.array(elements),
            Value::String(text) => self.string(text),
            other => self.text.push_str(&other.to_string()),
        }
        self.space();
    }

    fn object(&mut self, members: &Map<String, Value>) {
        self.text.push('{');
        self.space();
        for (index, (key, value)) in members.iter().enumerate() {
            self.comma(index);
            self.space();
            self.string(key);
            self.space();
            self.text.push(':');
            self.value(value);
        }
        self.text.push('}');
    }

    fn array(&mut self, elements: &[Value]) {
        self.text.push('[');
        self.space();
        for (index, element) in elements.iter().enumerate() {
            self.comma(index);
            self.value(element);
        }
        self.text.push(']');
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            self.character(character);
        }
        self.text.push('"');
    }

    fn character(&mut self, character: char) {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        };
        let must_escape = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
        match (self.choice() % 8, short) {
            (0, Some(escape)) => self.text.push_str(escape),
            (0 | 1, _) => self.unicode_escape(character),
            (_, Some(escape)) if must_escape => self.text.push_str(escape),
            _ if must_escape => self.unicode_escape(character),
            _ => self.text.push(character),
        }
    }

    fn unicode_escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let escape = if self.choice().is_multiple_of(2) {
                format!("\\u{unit:04x}")
            } else {
                format!("\\u{unit:04X}")
            };
            self.text.push_str(&escape);
        }
    }

    fn space(&mut self) {
        let space = ["", "", "", "", " ", "\n", "\t", "\r\n  "];
        let index = usize::from(self.choice()) % space.len();
        self.text.push_str(space[index]);
    }

    fn choice(&mut self) -> u8 {
        self.choices.next().unwrap_or_default()
    }
}
