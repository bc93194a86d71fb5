//! The names of a certificate's subject (RFC 5280 section 4.2.1.6), in the configuration and in certificates.

use std::net::IpAddr;

/// A name in a certificate's subjectAltName. It is compared as a whole: there are no wildcards.
///
/// Invariant: DNS names and the domains of e-mail addresses are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectName {
    /// A host name.
    Dns(String),
    /// An e-mail address.
    Email(String),
    /// An IP address.
    Ip(IpAddr),
    /// A URI, such as a SPIFFE ID, byte for byte.
    Uri(String),
}

impl SubjectName {
    /// A host name. Its letter case does not matter (RFC 4343).
    pub fn dns(name: &str) -> Self {
        Self::Dns(name.to_ascii_lowercase())
    }

    /// An e-mail address. The letter case of its domain does not matter (RFC 5280 section 7.5).
    pub fn email(address: &str) -> Self {
        match address.rsplit_once('@') {
            Some((local, domain)) => Self::Email(format!("{local}@{}", domain.to_ascii_lowercase())),
            None => Self::Email(address.to_owned()),
        }
    }

    /// Reads a name in the configuration's form: `dns:…`, `email:…`, `ip:…`, `uri:…`, or only a host name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("dns", name)) => is_host(name).then(|| Self::dns(name)),
            Some(("email", address)) => is_address(address).then(|| Self::email(address)),
            Some(("ip", address)) => address.parse().ok().map(Self::Ip),
            Some(("uri", uri)) => is_uri(uri).then(|| Self::Uri(uri.to_owned())),
            Some(_) => None,
            None => (text.contains('.') && is_host(text)).then(|| Self::dns(text)),
        }
    }
}

/// Whether this is a host name as in certificates: ASCII labels, also with underscores, no wildcard, no final dot.
fn is_host(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    name.len() <= 253 && name.split('.').all(|label| !label.is_empty() && label.bytes().all(fits))
}

fn is_address(text: &str) -> bool {
    text.is_ascii()
        && text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && is_host(domain))
}

/// Whether this is an absolute URI (RFC 3986 section 4.3) without characters that need escaping.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.is_empty()
    }) && text.bytes().all(|b| b.is_ascii_graphic())
        && !text.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_prefix_and_a_host_name_needs_none() {
        let dns = |name: &str| Some(SubjectName::Dns(name.to_owned()));
        for (text, name) in [
            ("acme.example", dns("acme.example")),
            ("dns:Acme.Example", dns("acme.example")),
            ("dns:acme", dns("acme")),
            ("uri:spiffe://acme.example/ns/a", Some(SubjectName::Uri("spiffe://acme.example/ns/a".into()))),
            ("email:Proxy@Acme.Example", Some(SubjectName::Email("Proxy@acme.example".into()))),
            ("ip:192.0.2.1", Some(SubjectName::Ip([192, 0, 2, 1].into()))),
            ("ip:2001:db8::1", "2001:db8::1".parse().ok().map(SubjectName::Ip)),
        ] {
            assert_eq!(SubjectName::parse(text), name, "{text}");
        }
        for bad in [
            "",
            "acme",
            "*.acme.example",
            "dns:*.acme.example",
            "dns:",
            "acme.example.",
            "spiffe://acme.example/ns/a",
            "uri:acme.example",
            "uri:spiffe://acme.example/*",
            "uri:spiffe://acme.example/a b",
            "email:acme.example",
            "ip:192.0.2.0/24",
            "cn:acme",
            "CN=acme.example",
        ] {
            assert_eq!(SubjectName::parse(bad), None, "{bad}");
        }
    }
}
