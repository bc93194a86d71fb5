//! Forms that contain a secret.

use zeroize::Zeroizing;

use glassine_core::hex;

/// A form (`application/x-www-form-urlencoded`). It is wiped after it is sent.
pub(super) struct Form(Zeroizing<String>);

impl Form {
    pub(super) fn new(fields: &[(&str, &str)]) -> Self {
        // Percent-encoding triples a byte at most. If the buffer grew, it would leave copies of the secret in memory.
        let length = fields.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let mut form = Zeroizing::new(String::with_capacity(length));
        push_fields(&mut form, fields);
        Self(form)
    }
}

impl AsRef<[u8]> for Form {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The same encoding, as a query.
pub(super) fn query(fields: &[(&str, &str)]) -> String {
    let mut query = String::new();
    push_fields(&mut query, fields);
    query
}

fn push_fields(form: &mut String, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        let between = if form.is_empty() { "" } else { "&" };
        form.extend([between, name, "="]);
        push_encoded(form, value);
    }
}

/// Appends `value` as `application/x-www-form-urlencoded` (WHATWG URL, section 5.2).
fn push_encoded(form: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                form.push(char::from(byte))
            }
            b' ' => form.push('+'),
            _ => form.extend(hex::escaped(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_in_a_browser() {
        let form = Form::new(&[("a", "a b+c&d=e~f*-._%/\u{e9}"), ("b", "")]);
        assert_eq!(form.as_ref(), b"a=a+b%2Bc%26d%3De%7Ef*-._%25%2F%C3%A9&b=");
    }
}
