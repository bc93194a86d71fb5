//! Stand-ins for a consumer's keys. `explain` decides about a request as the proxy does, but never shows the value that
//! a token stands for: it shows a placeholder, so that no command turns a token back into its value.

use zeroize::Zeroizing;

use glassine_core::admit::{Admitted, Keys};
use glassine_core::pseudonym::{Class, Pseudonyms};
use glassine_core::rules::plan::Endpoint;
use glassine_core::rules::template::Part;

/// Shown in place of the id that a token opens to. Only tokens of ids open.
const OPENED: &str = "{id}";

/// Shown in place of the values that were sealed in a link.
const SEALED: &str = "{sealed}";

/// Which texts count as tokens of the consumer.
pub(super) enum StandIn {
    /// Texts that look like a token, and placeholders such as `{user}`. No sealed link opens.
    Presumed,
    /// Tokens that these keys open.
    Opened(Box<Pseudonyms>),
    /// All texts, to find the endpoint that matches a path.
    Anything,
}

impl Keys for StandIn {
    fn open(&self, class: Class, token: &str) -> Option<Zeroizing<String>> {
        let opens = match self {
            Self::Presumed => is_token(token) || is_placeholder(token),
            Self::Opened(pseudonyms) => pseudonyms.open(class, token).is_some(),
            Self::Anything => true,
        };
        opens.then(|| Zeroizing::new(OPENED.to_owned()))
    }

    /// Never called: only responses have links to seal, and a stand-in decides about requests.
    fn seal_link(&self, _: &str, _: &[u8]) -> String {
        String::new()
    }

    fn unseal_link(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Opened(pseudonyms) => pseudonyms.unseal_link(purpose, sealed),
            Self::Presumed | Self::Anything => None,
        }
    }
}

/// The request for Graph with placeholders for everything that was opened or unsealed.
pub(super) fn veiled_upstream(admitted: &Admitted, is_link: bool) -> String {
    let (path, query) = admitted.upstream.split_once('?').unwrap_or((&admitted.upstream, ""));
    let mut target = veiled_path(path, &admitted.endpoint);
    if !query.is_empty() {
        target.push('?');
        target.push_str(&if is_link { veiled_query(query) } else { readable(query) });
    }
    target
}

/// A target with readable placeholders: `{user}`, not `%7Buser%7D`.
pub(super) fn readable(target: &str) -> String {
    target.replace("%7B", "{").replace("%7D", "}")
}

/// Whether the text has the form of a token: `p~` and base64url. Only the keys can tell whether the token is genuine.
fn is_token(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.strip_prefix("p~").is_some_and(|sealed| !sealed.is_empty() && sealed.bytes().all(is_base64url))
}

fn is_placeholder(text: &str) -> bool {
    let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The version, then the segments, with a placeholder in place of each opened token.
fn veiled_path(path: &str, endpoint: &Endpoint) -> String {
    let mut segments = path.trim_start_matches('/').split('/');
    let mut veiled = format!("/{}", segments.next().unwrap_or_default());
    for (part, segment) in endpoint.template.parts.iter().zip(segments) {
        veiled.push('/');
        match part {
            Part::Param(name) if is_opened(endpoint, name, segment) => {
                veiled.extend(["{", name, "}"]);
            }
            _ => veiled.push_str(segment),
        }
    }
    veiled
}

/// Whether a segment can be the value of an opened token.
fn is_opened(endpoint: &Endpoint, name: &str, segment: &str) -> bool {
    endpoint.params.iter().any(|param| {
        let is_name = param.one_of.iter().any(|name| name.eq_ignore_ascii_case(segment));
        param.name == name && param.token.is_some() && !is_name
    })
}

/// The query of a link from Graph: the names of its options without their values.
fn veiled_query(query: &str) -> String {
    let veil = |option: &str| format!("{}={SEALED}", option.split('=').next().unwrap_or_default());
    query.split('&').map(veil).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_placeholders_are_presumed_to_open() {
        let opens = |text| StandIn::Presumed.open(Class::Id, text).is_some();
        for text in ["p~Aabc-_9", "{user}", "{message-id}"] {
            assert!(opens(text), "{text}");
        }
        for text in ["", "p~", "p~a b", "t~Aabc", "{}", "{a b}", "user", "alice@contoso.com", "{user"] {
            assert!(!opens(text), "{text}");
        }
    }

    #[test]
    fn a_veiled_link_shows_only_the_names_of_its_options() {
        let query = "$select=id&$filter=id%20eq%20'AAMk'&$skiptoken=X";
        assert_eq!(veiled_query(query), "$select={sealed}&$filter={sealed}&$skiptoken={sealed}");
    }
}
