//! A consumer's interface as documents for programs: written once, when the state is built.

use http::header::{HeaderName, HeaderValue};

use super::response::ProxyResponse;
use glassine_core::admit::Request;
use glassine_core::graph::{BaseUrl, Version};
use glassine_core::interface::{About, Asked, Document};
use glassine_core::rules::Plan;
use glassine_core::sanitize::Clean;
use glassine_core::statement::Statement;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// The names of all documents in the audit log and in metrics.
pub(super) const NAMES: [&str; 2] = [Asked::OpenApi.name(), Asked::Csdl(Version::V1).name()];

/// The documents of one consumer.
pub(super) struct Descriptions {
    openapi: Clean<Vec<u8>>,
    /// `None`: no endpoint opens the version.
    v1: Option<Clean<Vec<u8>>>,
    beta: Option<Clean<Vec<u8>>>,
}

impl Descriptions {
    /// What the rules open at this URL.
    pub(super) fn of(plan: &Plan, public_url: &BaseUrl) -> Self {
        let revision = Statement::of_rules(plan).fingerprint().short();
        let about = About { revision: &revision, url: Some(public_url) };
        let csdl = |version| Document::csdl(plan, version).map(Clean::from);
        Self {
            openapi: Document::openapi(plan, about).into(),
            v1: csdl(Version::V1),
            beta: csdl(Version::Beta),
        }
    }

    /// The response to a request for a document, with the name for the audit; `None` for every other request.
    pub(super) fn response(&self, request: &Request<'_>) -> Option<(&'static str, ProxyResponse)> {
        let asked = Asked::by(request.method, request.target)?;
        let (document, media_type) = match asked {
            Asked::OpenApi => (Some(&self.openapi), JSON),
            Asked::Csdl(Version::V1) => (self.v1.as_ref(), XML),
            Asked::Csdl(Version::Beta) => (self.beta.as_ref(), XML),
        };
        // OData 4.01 part 1, 8.1.5: a client may refuse a document without it.
        let version =
            matches!(asked, Asked::Csdl(_)).then(|| (ODATA_VERSION, HeaderValue::from_static("4.0")));
        Some((asked.name(), ProxyResponse::description(media_type, document?.clone()).with(version)))
    }
}
