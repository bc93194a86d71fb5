//! Lines of a text, indented.

/// One step of indentation.
const STEP: usize = 2;

/// The lines of a statement so far.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    /// Adds a line.
    pub(super) fn add(&mut self, line: impl AsRef<str>) {
        let indent = self.depth * STEP;
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds lines that are about the last one.
    pub(super) fn inside(&mut self, add: impl FnOnce(&mut Self)) {
        self.depth += 1;
        add(self);
        self.depth -= 1;
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A text of the rules' author as a JSON string in ASCII, so that no part of it can look like another line, and no letter
/// like another.
pub(super) fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' => quoted.push(character),
            other => {
                let mut units = [0; 2];
                quoted.extend(other.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    quoted
}

/// The items with commas between them, or `none`.
pub(super) fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
