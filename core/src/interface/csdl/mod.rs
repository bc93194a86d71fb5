//! The interface as CSDL XML, the `$metadata` of OData (<https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/>): one document for
//! each API version.
//!
//! OData has one type for each name, and finds it by that name in responses (`@odata.type`). So where two endpoints let out different
//! properties of a type, the type here has all of them. OData clients expect that: a property can be missing from any
//! response. The OpenAPI document tells the endpoints apart.
//!
//! A type has the nearest of its base types in Graph that is in the document too. A property is declared at the type whose
//! objects it leaves with, and not at a base type of Graph's that declares it: otherwise it would show at all that derive from that.
//!
//! What the catalogue does not know has no place in a schema with types: such endpoints are in the OpenAPI document only.
//!
//! | file | what |
//! |---|---|
//! | `schema` | which types, properties and functions there are |
//! | `property` | a property's type, from the forms in which it leaves |
//! | `access` | what may be asked of a collection |
//! | `document` | the document: types, functions and the entity container |
//! | `annotations` | what may be asked, and what values can be |
//! | `xml` | elements and attributes |

mod access;
mod annotations;
mod document;
mod property;
mod schema;
mod xml;

use super::model::Interface;
use crate::graph::Version;

/// The namespace of Graph's types.
const NAMESPACE: &str = "microsoft.graph";

/// The name that Graph gives its entity container.
const CONTAINER: &str = "GraphService";

/// The document of a version, ending with a line feed.
pub(super) fn write(interface: &Interface<'_>, version: Version) -> String {
    document::write(&schema::Schema::of(interface, version), &access::of(interface, version))
}

/// Whether a name can stand in a schema (OData CSDL 4.01, simple identifier). Graph uses the ASCII part.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
