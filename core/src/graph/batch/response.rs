//! What comes before an item's body in the batch's response.

use super::ItemId;

/// The head of one response of a batch.
#[derive(Clone, Copy, Debug)]
pub struct ItemHead<'a> {
    /// The id that the consumer gave the request.
    pub id: &'a ItemId,
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: &'a [(&'a str, &'a str)],
}

impl ItemHead<'_> {
    /// `{"id":…,"status":…,"headers":{…},"body":`; the body and a `}` follow.
    pub fn to_json(&self) -> Vec<u8> {
        let headers: serde_json::Map<String, serde_json::Value> =
            self.headers.iter().map(|(name, value)| (capitalized(name), (*value).into())).collect();
        let (id, headers) = (self.id.to_json(), serde_json::Value::from(headers));
        format!("{{\"id\":{id},\"status\":{},\"headers\":{headers},\"body\":", self.status).into_bytes()
    }
}

/// A header name in Graph's spelling, such as `Content-Type`. In JSON, header names are ordinary keys, and Graph's
/// JavaScript client recognises a JSON body only by this spelling.
fn capitalized(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_a_body_and_a_brace_are_json() {
        for (id, written) in [
            (ItemId::Text("a\"b".to_owned()), serde_json::json!("a\"b")),
            (ItemId::Integer(-7), serde_json::json!(-7)),
        ] {
            let head = ItemHead { id: &id, status: 200, headers: &[("retry-after", "1")] };
            let text = String::from_utf8(head.to_json()).unwrap() + "{}}";
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["id"], written);
            assert_eq!(value["headers"]["Retry-After"], "1");
        }
    }

    #[test]
    fn header_names_are_spelled_as_graph_spells_them() {
        for (name, spelled) in
            [("content-type", "Content-Type"), ("Date", "Date"), ("", ""), ("-é-a", "-é-A")]
        {
            assert_eq!(capitalized(name), spelled);
        }
    }
}
