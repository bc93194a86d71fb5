//! JSON on several lines, in the order in which it was written: a person compares it with the response that it was made of.

/// One step of indentation.
const INDENT: &str = "  ";

/// The document with one property or element on each line. `compact` is well-formed and has no white space outside of
/// strings, as the sanitizer writes it.
pub(super) fn pretty(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len().saturating_mul(2));
    let (mut depth, mut in_string, mut is_escaped, mut last) = (0_usize, false, false, ' ');
    for c in compact.chars() {
        let closes = matches!(c, '}' | ']') && !in_string;
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty container stays on its line.
        if !in_string && (closes != matches!(last, '{' | '[') || last == ',') {
            out.push('\n');
            out.push_str(&INDENT.repeat(depth));
        }
        out.push(c);
        match c {
            '"' if !is_escaped => in_string = !in_string,
            ':' if !in_string => out.push(' '),
            '{' | '[' if !in_string => depth = depth.saturating_add(1),
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        last = if in_string { ' ' } else { c };
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_json_of_other_programs_does() {
        for compact in [
            r#"{"a":1,"b":[1,{"c":"x,{}[]:\"\\"}],"d":{},"e":[],"f":[[],{"g":null}]}"#,
            "[]",
            "{}",
            "3",
            r#""a:b""#,
            r#"[1,2]"#,
        ] {
            let value: serde_json::Value = serde_json::from_str(compact).unwrap();
            assert_eq!(pretty(compact), serde_json::to_string_pretty(&value).unwrap() + "\n", "{compact}");
        }
    }
}
