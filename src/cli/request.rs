//! A request on the command line: `GET /v1.0/users`, or the path alone.

use std::str::FromStr;

/// A method and an origin-form target. Admission decides whether they are acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) target: String,
}

/// The text is not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestLineError {
    #[error("expected a method and a path, as in 'GET /v1.0/users'")]
    Form,
    #[error("expected a path without scheme and host, as in 'GET /v1.0/users'")]
    Absolute,
}

impl FromStr for RequestLine {
    type Err = RequestLineError;

    fn from_str(text: &str) -> Result<Self, RequestLineError> {
        let text = text.trim();
        let (method, target) = match text.split_once(char::is_whitespace) {
            Some((method, target)) if !method.starts_with('/') => (method, target.trim_start()),
            _ => ("GET", text),
        };
        if target.contains("://") && !target.starts_with('/') {
            return Err(RequestLineError::Absolute);
        }
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_method && target.starts_with('/') {
            Ok(Self { method: method.to_owned(), target: encode_spaces(target) })
        } else {
            Err(RequestLineError::Form)
        }
    }
}

/// Encodes spaces in the query, because people type `$filter=a eq 1`. A space in the path is a mistake and stays.
fn encode_spaces(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.replace(' ', "%20")),
        None => target.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_may_be_left_out() {
        let line = |method: &str, target: &str| {
            Ok(RequestLine { method: method.to_owned(), target: target.to_owned() })
        };
        assert_eq!("/v1.0/users".parse(), line("GET", "/v1.0/users"));
        assert_eq!("POST  /v1.0/users ".parse(), line("POST", "/v1.0/users"));
        assert_eq!("/v1.0/a b".parse(), line("GET", "/v1.0/a b"));
        assert_eq!("/v1.0/a?x=b c".parse(), line("GET", "/v1.0/a?x=b%20c"));
    }

    #[test]
    fn text_that_is_not_a_request_is_refused() {
        for text in ["", "GET", "GET users", "G(T /v1.0/users"] {
            assert_eq!(text.parse::<RequestLine>(), Err(RequestLineError::Form), "{text}");
        }
        let absolute = "GET https://graph.microsoft.com/v1.0/users".parse::<RequestLine>();
        assert_eq!(absolute, Err(RequestLineError::Absolute));
    }
}
