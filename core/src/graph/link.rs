//! Absolute links in Graph's responses. They are accepted on one origin only.

use thiserror::Error;

use super::url::{Origin, Parts, UrlError};

/// Why a link was refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum LinkError {
    /// The link is on another host.
    #[error("the link leads to another host")]
    OtherHost,
    /// The link is on another port.
    #[error("the link leads to another port")]
    OtherPort,
    /// The link has another scheme.
    #[error("the link has another scheme")]
    OtherScheme,
    /// Nothing after the host.
    #[error("the link has no path")]
    NoPath,
    /// Two readers could read it as two links.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl LinkError {
    /// Whether the link is longer than any that could be followed.
    pub const fn is_too_long(self) -> bool {
        matches!(self, Self::Url(UrlError::TooLong))
    }
}

/// The origin-form target of an absolute link, if and only if the link is on exactly this origin. The target still
/// has to be parsed and admitted.
///
/// # Errors
/// [`LinkError`] for another origin and for every link that two readers could read as two.
pub fn relative_target<'l>(link: &'l str, origin: &Origin) -> Result<&'l str, LinkError> {
    let actual = Parts::parse(link)?;
    if actual.scheme != origin.scheme() {
        return Err(LinkError::OtherScheme);
    }
    if actual.host != *origin.host() {
        return Err(LinkError::OtherHost);
    }
    if actual.port != origin.port() {
        return Err(LinkError::OtherPort);
    }
    if actual.target.starts_with('/') { Ok(actual.target) } else { Err(LinkError::NoPath) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Origin {
        Origin::parse("https://graph.microsoft.com").unwrap()
    }

    #[test]
    fn links_on_the_origin_give_their_target() {
        for (link, target) in [
            ("https://graph.microsoft.com/v1.0/users?$skiptoken=a", "/v1.0/users?$skiptoken=a"),
            ("https://graph.microsoft.com:443/v1.0/users", "/v1.0/users"),
            ("HTTPS://Graph.Microsoft.Com/", "/"),
            ("https://graph.microsoft.com/v1.0/users/a@b?x=http://c/@d:1", "/v1.0/users/a@b?x=http://c/@d:1"),
        ] {
            assert_eq!(relative_target(link, &graph()), Ok(target), "{link}");
        }
    }

    #[test]
    fn links_elsewhere_are_refused() {
        for (link, error) in [
            ("http://graph.microsoft.com/v1.0", LinkError::OtherScheme),
            ("https://graph.microsoft.com:444/v1.0", LinkError::OtherPort),
            ("https://graph.microsoft.com.evil.example/v1.0", LinkError::OtherHost),
            ("https://graph.microsoft.com-evil.example/v1.0", LinkError::OtherHost),
            ("https://evil.example/graph.microsoft.com", LinkError::OtherHost),
            ("https://xgraph.microsoft.com/v1.0", LinkError::OtherHost),
            ("https://xn--grph-xoa.microsoft.com/v1.0", LinkError::OtherHost),
            ("https://169.254.169.254/metadata", LinkError::OtherHost),
            ("https://[::1]/v1.0", LinkError::OtherHost),
            ("https://graph.microsoft.com@evil.example/v1.0", UrlError::UserInformation.into()),
            ("https://a:b@graph.microsoft.com/v1.0", UrlError::UserInformation.into()),
            ("https://@graph.microsoft.com/v1.0", UrlError::UserInformation.into()),
            ("https://graph.microsoft.com./v1.0", UrlError::Host.into()),
            ("https://graph.microsoft.com%2eevil.example/", UrlError::Host.into()),
            ("https:///v1.0", UrlError::Host.into()),
            ("https://[::1/v1.0", UrlError::Port.into()),
            ("https://[x]/v1.0", UrlError::Host.into()),
            ("https://a[::1]/v1.0", UrlError::Host.into()),
            ("https://[::1]a:443/v1.0", UrlError::Host.into()),
            ("https://graph.microsoft.com:/v1.0", UrlError::Port.into()),
            ("https://graph.microsoft.com:0443/v1.0", UrlError::Port.into()),
            ("https://graph.microsoft.com:+443/v1.0", UrlError::Port.into()),
            ("https://graph.microsoft.com:443:443/v1.0", UrlError::Port.into()),
            ("https://graph.microsoft.com:65536/v1.0", UrlError::Port.into()),
            ("https://graph.microsoft.com\\@evil.example/", UrlError::InvalidCharacter.into()),
            ("https://gr\u{e1}ph.microsoft.com/", UrlError::InvalidCharacter.into()),
            ("https://graph.microsoft.com/a b", UrlError::InvalidCharacter.into()),
            ("https://graph.microsoft.com/\t", UrlError::InvalidCharacter.into()),
            ("https://graph.microsoft.com/v1.0#x", UrlError::Fragment.into()),
            ("https://graph.microsoft.com#@evil.example/", UrlError::Fragment.into()),
            ("https://graph.microsoft.com", LinkError::NoPath),
            ("https://graph.microsoft.com?x=1", LinkError::NoPath),
            ("//graph.microsoft.com/v1.0", UrlError::NotAbsolute.into()),
            ("/v1.0/users", UrlError::NotAbsolute.into()),
            ("https:graph.microsoft.com/v1.0", UrlError::NotAbsolute.into()),
            ("ftp://graph.microsoft.com/v1.0", UrlError::NotAbsolute.into()),
            ("", UrlError::NotAbsolute.into()),
        ] {
            assert_eq!(relative_target(link, &graph()), Err(error), "{link}");
        }
    }

    #[test]
    fn a_local_origin_has_links_too() {
        let local = Origin::parse("http://[::1]:8080").unwrap();
        assert_eq!(relative_target("http://[::1]:8080/v1.0", &local), Ok("/v1.0"));
        assert_eq!(relative_target("http://[::1]/v1.0", &local), Err(LinkError::OtherPort));
    }
}
