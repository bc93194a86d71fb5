//! Outbound proxies (`HTTPS_PROXY`, `NO_PROXY`), which tunnel TLS connections (CONNECT, RFC 9110 section 9.3.6).
//!
//! An outbound proxy sees host names and numbers of bytes only, because TLS ends at the server. Connections without TLS
//! go to this machine, its own link or a private network only, and never through a proxy.

use std::env;
use std::sync::Arc;

use super::uri::uri;
use glassine_core::graph::Origin;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

/// The variables that name a proxy. The first one that is set counts; an empty one is not set, as for curl and Go.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variables that name hosts to connect to directly.
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Which servers are reached through a proxy. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Option<Arc<Matcher>>);

/// Why a proxy cannot be used. Its address may contain a password, so no message repeats it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProxyError {
    /// The user name or the password has a character with a meaning in URLs, so that the rest reads as another part.
    #[error(
        "HTTPS_PROXY (or ALL_PROXY) has a `{character}` in its user name or password: write it as {escape}"
    )]
    Raw {
        /// The character.
        character: char,
        /// How a URL has it.
        escape: &'static str,
    },
    /// The value is not the URL of a proxy.
    #[error("HTTPS_PROXY (or ALL_PROXY) does not name a proxy: write it as http://host:port, or unset it")]
    Form,
    /// The variable is not UTF-8. Ignoring it would bypass the proxy.
    #[error("{0} is not UTF-8 text: correct it, or unset it")]
    NotText(&'static str),
    /// The proxy speaks TLS or SOCKS.
    #[error(
        "HTTPS_PROXY (or ALL_PROXY) names a kind of proxy that is not supported: use one at http://host:port"
    )]
    Scheme,
}

/// A proxy, with its `Proxy-Authorization`.
pub(super) struct Tunnel {
    pub(super) proxy: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY` (otherwise `ALL_PROXY`) and `NO_PROXY`, in upper or lower case.
    ///
    /// # Errors
    /// [`ProxyError`] if a proxy is named that cannot be used. It is not bypassed, because that could be forbidden.
    pub(crate) fn from_env() -> Result<Self, ProxyError> {
        Self::new(&first(&PROXY)?, &first(&EXCEPT)?)
    }

    /// Uses `proxy`, which may contain `user:password@`, for all servers but those in `except`: hosts, domains with
    /// their subdomains, addresses and networks, separated by commas. An empty `proxy` means no proxy.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub fn new(proxy: &str, except: &str) -> Result<Self, ProxyError> {
        if proxy.is_empty() {
            return Ok(Self::default());
        }
        check_password(proxy)?;
        let somewhere = Uri::from_static("https://graph.microsoft.com");
        let named = Matcher::builder().https(proxy.to_owned()).build().intercept(&somewhere);
        match named.ok_or(ProxyError::Form)?.uri().scheme_str() {
            Some("http") => {}
            _ => return Err(ProxyError::Scheme),
        }
        let matcher = Matcher::builder().https(proxy.to_owned()).no(except.to_owned()).build();
        Ok(Self(Some(Arc::new(matcher))))
    }

    /// Whether a server is reached through a proxy, which then resolves the server's name.
    pub(crate) fn stand_before(&self, origin: &Origin) -> bool {
        self.before(origin).is_some()
    }

    /// The proxy for a server, if there is one.
    pub(super) fn before(&self, origin: &Origin) -> Option<Tunnel> {
        if !origin.is_https() || origin.host().is_loopback() {
            return None;
        }
        let found = self.0.as_ref()?.intercept(&uri(origin, "/").ok()?)?;
        Some(Tunnel { proxy: found.uri().clone(), authorization: found.basic_auth().cloned() })
    }
}

/// What has to be escaped in a user name or a password (RFC 3986 section 3.2.1).
const ESCAPES: [(char, &str); 8] = [
    ('#', "%23"),
    ('?', "%3F"),
    ('/', "%2F"),
    ('@', "%40"),
    ('\\', "%5C"),
    ('[', "%5B"),
    (']', "%5D"),
    (' ', "%20"),
];

/// Refuses a user name or a password with a raw character that ends it for a parser of URLs. What stands before the last
/// `@` can only be these two.
fn check_password(proxy: &str) -> Result<(), ProxyError> {
    let address = proxy.split_once("://").map_or(proxy, |(_, address)| address);
    let Some((login, _)) = address.rsplit_once('@') else { return Ok(()) };
    let raw = ESCAPES.iter().find(|(character, _)| login.contains(*character));
    if let Some((character, escape)) = raw {
        return Err(ProxyError::Raw { character: *character, escape });
    }
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    match login.split('%').skip(1).all(is_escape) {
        true => Ok(()),
        false => Err(ProxyError::Raw { character: '%', escape: "%25" }),
    }
}

/// The value of the first variable that is set and not empty.
fn first(names: &[&'static str]) -> Result<String, ProxyError> {
    let set = names.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    let Some((name, value)) = set.into_iter().find(|(_, value)| !value.is_empty()) else {
        return Ok(String::new());
    };
    value.into_string().map_err(|_| ProxyError::NotText(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn tls_goes_through_the_proxy_and_loopback_does_not() {
        let proxies = Proxies::new("http://us%65r:pass@proxy.example:3128", "").unwrap();
        let tunnel = proxies.before(&origin("https://graph.microsoft.com")).unwrap();
        assert_eq!(tunnel.proxy, "http://proxy.example:3128/");
        assert_eq!(tunnel.authorization.unwrap(), "Basic dXNlcjpwYXNz");
        for direct in ["https://localhost:8443", "https://127.0.0.1", "http://127.0.0.1:80"] {
            assert!(proxies.before(&origin(direct)).is_none(), "{direct}");
        }
    }

    #[test]
    fn listed_hosts_are_reached_directly() {
        let proxies =
            Proxies::new("proxy.example:3128", "graph.microsoft.com, .contoso.com,10.0.0.0/8").unwrap();
        for direct in ["https://graph.microsoft.com", "https://login.contoso.com", "https://10.1.2.3"] {
            assert!(proxies.before(&origin(direct)).is_none(), "{direct}");
        }
        for through in ["https://login.microsoftonline.com", "https://notcontoso.com", "https://11.1.2.3"] {
            assert!(proxies.before(&origin(through)).is_some(), "{through}");
        }
        assert!(Proxies::default().before(&origin("https://graph.microsoft.com")).is_none());
    }

    #[test]
    fn an_unusable_proxy_is_an_error_and_an_empty_one_is_none() {
        for bad in ["http://", "ftp://proxy.example", "http://proxy example", "/proxy"] {
            assert_eq!(Proxies::new(bad, "").err(), Some(ProxyError::Form), "{bad}");
        }
        for bad in ["https://proxy.example", "socks5://proxy.example:1080"] {
            assert_eq!(Proxies::new(bad, "").err(), Some(ProxyError::Scheme), "{bad}");
        }
        for (raw, character) in [
            ("http://user:pa#ss@proxy.example:3128", '#'),
            ("http://user:pa?ss@proxy.example:3128", '?'),
            ("http://user:pa/ss@proxy.example:3128", '/'),
            ("http://user:pa@ss@proxy.example:3128", '@'),
            ("us@contoso.com:pass@proxy.example:3128", '@'),
            ("http://CONTOSO\\user:pass@proxy.example", '\\'),
            ("http://user:pa[ss@proxy.example", '['),
            ("http://user:pa ss@proxy.example", ' '),
            ("http://user:100%@proxy.example", '%'),
            ("http://user:%zz@proxy.example", '%'),
        ] {
            let error = Proxies::new(raw, "").err().unwrap();
            assert!(matches!(error, ProxyError::Raw { character: found, .. } if found == character), "{raw}");
            assert!(!error.to_string().contains("ss@"), "{error}");
        }
        for good in
            ["http://us%40contoso.com:pa%23ss%25@proxy.example:3128", "http://user:p;a!s$s@proxy.example"]
        {
            assert!(Proxies::new(good, "").is_ok(), "{good}");
        }
        for good in ["", "http://proxy.example", "proxy.example:80", "http://[::1]:3128"] {
            assert!(Proxies::new(good, "").is_ok(), "{good}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let proxies = Proxies::new("http://user:hunter2@proxy.example:3128", "").unwrap();
        assert!(!format!("{proxies:?}").contains("hunter2"));
    }
}
