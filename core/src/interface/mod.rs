//! The interface, described for programs: what a consumer may ask and in which form each value leaves, as OpenAPI 3.1 and as
//! CSDL (the `$metadata` of OData). docs/DESCRIPTIONS.md defines both.
//!
//! Both documents are written from one [`model`], which is made of the compiled plan, which is what runs, and of the catalogue.
//! So neither names a property that cannot leave, and neither depends on the deployment: not on its keys, domains, or
//! other consumers. The only exception is the proxy's own URL, which the caller passes in.
//!
//! | file | what |
//! |---|---|
//! | `asked` | which of the documents a request asks for |
//! | `model` | operations, and what leaves by each |
//! | `value` | what can be at a place of a response |
//! | `form` | in which form a single value leaves, and the pattern of tokens |
//! | `openapi` | the model as OpenAPI |
//! | `csdl` | the model as CSDL |

mod asked;
mod csdl;
mod form;
mod model;
mod openapi;
mod value;

use crate::graph::{BaseUrl, Version};
use crate::rules::Plan;

pub use asked::Asked;
use model::Interface;

/// A description. Only this module makes one, so all of its text comes from the rules and from this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(String);

/// What a description says besides what follows from the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The version of the description: it changes when the rules do.
    pub revision: &'a str,
    /// Where the proxy is; `None` leaves it out.
    pub url: Option<&'a BaseUrl>,
}

impl Document {
    /// The OpenAPI document, as JSON.
    pub fn openapi(plan: &Plan, about: About<'_>) -> Self {
        Self(openapi::write(&Interface::of(plan), about))
    }

    /// The CSDL document of an API version, as XML; `None` if no endpoint opens the version.
    pub fn csdl(plan: &Plan, version: Version) -> Option<Self> {
        let interface = Interface::of(plan);
        interface.has(version).then(|| Self(csdl::write(&interface, version)))
    }

    /// The document's text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
