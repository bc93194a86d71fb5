//! The cookie that ties a flow to the browser in which it began. A state from another browser is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::web::{cookies, random_text};

/// Long enough for two flows one after the other.
const MAX_AGE_SECONDS: u32 = 1800;

/// Octets of a cookie's value.
const LENGTH: usize = 32;

/// A browser, by its cookie.
pub(super) struct Browser {
    value: String,
}

impl Browser {
    /// The browser that sent these headers, if it has a cookie from this proxy.
    pub(super) fn of(headers: &HeaderMap, secure: bool) -> Option<Self> {
        let mut own = cookies(headers, cookie_name(secure));
        let value = own.next()?;
        // If there are two cookies with this name, another site set one of them: refuse both.
        (own.next().is_none() && is_own(value)).then(|| Self { value: value.to_owned() })
    }

    /// A browser without a cookie gets a new random one.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { value: random_text::<LENGTH>()? })
    }

    /// The digest of the cookie's value. A state contains this digest, from which the cookie cannot be computed.
    pub(super) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.value))
    }

    /// Whether the digest is this browser's. Compares in constant time.
    pub(super) fn is(&self, digest: &str) -> bool {
        self.digest().as_bytes().ct_eq(digest.as_bytes()).into()
    }

    /// The `Set-Cookie` field. `Lax`, not `Strict`, because Entra redirects the browser here from another site.
    pub(super) fn set_cookie(&self, secure: bool) -> Option<HeaderValue> {
        let (name, flag) = (cookie_name(secure), if secure { "; Secure" } else { "" });
        let value = &self.value;
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE_SECONDS}{flag}");
        HeaderValue::from_str(&text).ok()
    }
}

/// The prefix `__Host-` keeps other hosts from setting the cookie (RFC 6265bis). It requires `https`, and plain `http`
/// is allowed on loopback only.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-glassine-connect" } else { "glassine-connect" }
}

fn is_own(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|octets| octets.len() == LENGTH)
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_browser_is_known_by_its_cookie_alone() {
        let (one, other) = (Browser::new().unwrap(), Browser::new().unwrap());
        let cookie = one.set_cookie(true).unwrap();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let back = Browser::of(&headers(&format!("a=b; {pair}")), true).unwrap();
        assert!(back.is(&one.digest()) && !back.is(&other.digest()) && !back.is(""));
        assert!(Browser::of(&headers(&pair), false).is_none(), "a secure cookie has a name of its own");
        assert!(Browser::of(&headers(&format!("{pair}; {pair}")), true).is_none());
        assert!(Browser::of(&headers("__Host-glassine-connect=short"), true).is_none());
        assert!(Browser::of(&HeaderMap::new(), true).is_none());
    }

    #[test]
    fn over_tls_the_cookie_is_for_this_host_only() {
        let browser = Browser::new().unwrap();
        let cookie = |secure| browser.set_cookie(secure).unwrap().to_str().unwrap().to_owned();
        assert!(cookie(true).starts_with("__Host-") && cookie(true).ends_with("; Secure"));
        assert!(!cookie(false).contains("Secure") && !cookie(false).contains("__Host-"));
        assert!(cookie(true).contains("; Path=/; HttpOnly; SameSite=Lax;"));
    }
}
