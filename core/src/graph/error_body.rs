//! The JSON body of an error response, in Graph's shape.
//!
//! Source: Microsoft Graph documentation, "Microsoft Graph error responses and resource types".

use serde_json::Value;

/// The longest error code that counts as an identifier. Graph's own are below 50 characters.
pub(crate) const MAX_CODE: usize = 64;

/// What an error response says.
#[derive(Clone, Copy, Debug)]
pub struct ErrorBody<'a> {
    /// A plain identifier, such as `Request_ResourceNotFound`.
    pub code: &'a str,
    /// What is wrong, for people.
    pub message: &'a str,
    /// When, as `YYYY-MM-DDThh:mm:ss` in UTC.
    pub date: &'a str,
    /// The id of this request.
    pub request_id: &'a str,
    /// The id that the client gave to this request, otherwise `request_id` again.
    pub client_request_id: &'a str,
}

impl ErrorBody<'_> {
    /// The body as UTF-8 JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let [code, message, date, request_id, client_request_id] =
            [self.code, self.message, self.date, self.request_id, self.client_request_id].map(quote);
        format!(
            r#"{{"error":{{"code":{code},"message":{message},"innerError":{{"date":{date},"request-id":{request_id},"client-request-id":{client_request_id}}}}}}}"#
        )
        .into_bytes()
    }
}

/// Whether an upstream error code is a plain identifier that cannot carry data: a letter, then letters, digits, `_`,
/// `.` or `-`, at most [`MAX_CODE`] of them.
pub fn is_plain_identifier(code: &str) -> bool {
    code.len() <= MAX_CODE
        && code.starts_with(|first: char| first.is_ascii_alphabetic())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_body_has_the_shape_of_graph() {
        let body = ErrorBody {
            code: "ErrorAccessDenied",
            message: "Not \"allowed\":\n\u{1}\\ é",
            date: "2026-01-02T03:04:05",
            request_id: "r",
            client_request_id: "c",
        };
        let parsed: Value = serde_json::from_slice(&body.to_json()).unwrap();
        let expected = json!({"error": {
            "code": "ErrorAccessDenied",
            "message": "Not \"allowed\":\n\u{1}\\ é",
            "innerError": {"date": "2026-01-02T03:04:05", "request-id": "r", "client-request-id": "c"},
        }});
        assert_eq!(parsed, expected);
        assert!(body.to_json().starts_with(br#"{"error":{"code":"ErrorAccessDenied","message":"#));
    }

    #[test]
    fn only_plain_identifiers_pass() {
        let longest = "a".repeat(MAX_CODE);
        for code in ["ErrorItemNotFound", "Request_BadRequest", "a", "generalException-1.2", &longest] {
            assert!(is_plain_identifier(code), "{code}");
        }
        let too_long = "a".repeat(MAX_CODE + 1);
        for code in ["", "1a", "_a", "a b", "alice@contoso.com", "é", "a\n", "a\"", &too_long] {
            assert!(!is_plain_identifier(code), "{code}");
        }
    }
}
