//! Proxies on the way out (`HTTPS_PROXY`, `NO_PROXY`), through which TLS connections are tunnelled (CONNECT, RFC 9110
//! section 9.3.6).
//!
//! The proxy sees host names and amounts, nothing else: TLS is with the server itself. What is not TLS goes to this very
//! machine or its own link, and never through a proxy.

use std::env;
use std::sync::Arc;

use super::uri::uri;
use glassine_core::graph::Origin;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

/// The variables that name a proxy, the first one that is set counts.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variables that name hosts to be asked directly.
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Which servers are asked through a proxy. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Option<Arc<Matcher>>);

/// Why a proxy cannot be used. Its address may hold a password and is not repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProxyError {
    /// No URL of a proxy.
    #[error("HTTPS_PROXY (or ALL_PROXY) does not name a proxy: write it as http://host:port, or unset it")]
    Form,
    /// A variable that is not UTF-8. To leave it aside would be to go past the proxy.
    #[error("{0} is not UTF-8 text: write it anew, or unset it")]
    NotText(&'static str),
    /// A proxy that speaks TLS or SOCKS.
    #[error(
        "HTTPS_PROXY (or ALL_PROXY) names a kind of proxy that is not supported: use one at http://host:port"
    )]
    Scheme,
}

/// A proxy and what it wants to be told.
pub(super) struct Tunnel {
    pub(super) proxy: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, else `ALL_PROXY`, and `NO_PROXY`, in capitals or small letters.
    ///
    /// # Errors
    /// [`ProxyError`] where a proxy is named and cannot be used: going past it could be forbidden.
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::new(&first(&PROXY)?, &first(&EXCEPT)?)
    }

    /// Everything through `proxy`, which may hold `user:password@`, but `except`: hosts, domains with what is below them,
    /// addresses and networks, separated by commas. An empty `proxy` is none.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub fn new(proxy: &str, except: &str) -> Result<Self, ProxyError> {
        if proxy.is_empty() {
            return Ok(Self::default());
        }
        let somewhere = Uri::from_static("https://graph.microsoft.com");
        let named = Matcher::builder().https(proxy.to_owned()).build().intercept(&somewhere);
        match named.ok_or(ProxyError::Form)?.uri().scheme_str() {
            Some("http") => {}
            _ => return Err(ProxyError::Scheme),
        }
        let matcher = Matcher::builder().https(proxy.to_owned()).no(except.to_owned()).build();
        Ok(Self(Some(Arc::new(matcher))))
    }

    /// Whether a server is asked through a proxy, which then resolves its name.
    pub fn stand_before(&self, origin: &Origin) -> bool {
        self.before(origin).is_some()
    }

    /// The proxy before a server, if there is one.
    pub(super) fn before(&self, origin: &Origin) -> Option<Tunnel> {
        if !origin.is_https() || origin.host().is_loopback() {
            return None;
        }
        let found = self.0.as_ref()?.intercept(&uri(origin, "/").ok()?)?;
        Some(Tunnel { proxy: found.uri().clone(), authorization: found.basic_auth().cloned() })
    }
}

/// The value of the first variable that is set.
fn first(names: &[&'static str]) -> Result<String, ProxyError> {
    let mut set = names.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    let Some((name, value)) = set.next() else { return Ok(String::new()) };
    value.into_string().map_err(|_| ProxyError::NotText(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn tls_goes_through_the_proxy_and_what_stays_here_does_not() {
        let proxies = Proxies::new("http://us%65r:pass@proxy.example:3128", "").unwrap();
        let tunnel = proxies.before(&origin("https://graph.microsoft.com")).unwrap();
        assert_eq!(tunnel.proxy, "http://proxy.example:3128/");
        assert_eq!(tunnel.authorization.unwrap(), "Basic dXNlcjpwYXNz");
        for direct in ["https://localhost:8443", "https://127.0.0.1", "http://127.0.0.1:80"] {
            assert!(proxies.before(&origin(direct)).is_none(), "{direct}");
        }
    }

    #[test]
    fn listed_hosts_are_asked_directly() {
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
    fn a_proxy_that_cannot_be_used_is_an_error_and_none_is_none() {
        for bad in ["http://", "ftp://proxy.example", "http://proxy example", "/proxy"] {
            assert_eq!(Proxies::new(bad, "").err(), Some(ProxyError::Form), "{bad}");
        }
        for bad in ["https://proxy.example", "socks5://proxy.example:1080"] {
            assert_eq!(Proxies::new(bad, "").err(), Some(ProxyError::Scheme), "{bad}");
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
