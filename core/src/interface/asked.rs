//! Which description a request asks for.

use crate::graph::{Segment, Target, Version};

/// Where the OpenAPI document is.
const OPENAPI: &str = "/openapi.json";

/// The longest spelling of `/v1.0/$metadata`: each character behind the version escaped, and a slash. Requests for data are
/// longer than that as a rule, and are not parsed here.
const LONGEST: usize = "/v1.0/".len() + "$metadata".len() * "%24".len() + "/".len();

/// A description that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `/openapi.json`.
    OpenApi,
    /// `/{version}/$metadata`.
    Csdl(Version),
}

impl Asked {
    /// What a request asks for; `None` for every other request. A request with query options is none: no description has any.
    pub fn by(method: &str, target: &str) -> Option<Self> {
        if !matches!(method, "GET" | "HEAD") || target.len() > LONGEST {
            return None;
        }
        if target == OPENAPI {
            return Some(Self::OpenApi);
        }
        let target = Target::parse(target).ok().filter(|target| target.options.is_empty())?;
        match target.segments.as_slice() {
            [Segment::Dollar(name)] if name == "$metadata" => Some(Self::Csdl(target.version)),
            _ => None,
        }
    }

    /// The name that audit records use in place of an endpoint's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenApi => "openapi",
            Self::Csdl(_) => "$metadata",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_description_has_one_path() {
        for method in ["GET", "HEAD"] {
            assert_eq!(Asked::by(method, "/openapi.json"), Some(Asked::OpenApi));
            assert_eq!(Asked::by(method, "/v1.0/$metadata"), Some(Asked::Csdl(Version::V1)));
            assert_eq!(Asked::by(method, "/beta/%24metadata"), Some(Asked::Csdl(Version::Beta)));
            let escaped = "/v1.0/%24%6d%65%74%61%64%61%74%61/";
            assert_eq!(Asked::by(method, escaped), Some(Asked::Csdl(Version::V1)));
        }
    }

    #[test]
    fn nothing_else_asks_for_one() {
        for target in [
            "/",
            "/v1.0/",
            "/v1.0/metadata",
            "/v1.0/$metadata/users",
            "/v1.0/users/$metadata",
            "/v1.0/$metadata?$format=xml",
            "/v1.0/$metadata%2F",
            "/v2.0/$metadata",
            "//v1.0/$metadata",
            "/$metadata",
            "/v1.0/openapi.json",
            "/openapi.json/",
            "/openapi.json?",
            "/OpenAPI.json",
            "/openapi%2Ejson",
        ] {
            assert_eq!(Asked::by("GET", target), None, "{target}");
        }
        assert_eq!(Asked::by("POST", "/openapi.json"), None);
        assert_eq!(Asked::by("POST", "/v1.0/$metadata"), None);
    }
}
