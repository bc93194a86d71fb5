//! JSON for people and programs: what fits into a line is in one line.

use serde_json::Value as Json;

/// The longest line, without its indentation.
const WIDTH: usize = 110;

/// One step of indentation.
const STEP: usize = 2;

/// The document, ending with a line feed.
pub(super) fn of(document: &Json) -> String {
    let mut text = String::new();
    write(document, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Json, depth: usize, text: &mut String) {
    let line = value.to_string();
    match value {
        Json::Object(members) if line.len() > WIDTH => {
            let members = members.iter().map(|(name, value)| (Some(name), value));
            lines(('{', '}'), members, depth, text);
        }
        Json::Array(elements) if line.len() > WIDTH => {
            lines(('[', ']'), elements.iter().map(|value| (None, value)), depth, text);
        }
        _ => text.push_str(&line),
    }
}

fn lines<'j>(
    (open, close): (char, char),
    members: impl Iterator<Item = (Option<&'j String>, &'j Json)>,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    let mut separator = "\n";
    for (name, value) in members {
        text.push_str(separator);
        indent(depth + 1, text);
        if let Some(name) = name {
            text.extend([&Json::from(name.as_str()).to_string(), ": "]);
        }
        write(value, depth + 1, text);
        separator = ",\n";
    }
    text.push('\n');
    indent(depth, text);
    text.push(close);
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', depth * STEP));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_split_and_nothing_is_lost() {
        let long = "x".repeat(WIDTH);
        let document = json!({ "a": [1, { "b": null }], "c\"": { "d": [long, "e"] }, "f": {} });
        let text = of(&document);
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), document);
        assert!(
            text.starts_with("{\n  \"a\": [1,{\"b\":null}],\n  \"c\\\"\": {\n    \"d\": [\n      \"xxx"),
            "{text}"
        );
    }
}
