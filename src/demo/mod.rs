//! What `glassine demo` starts beside the proxy: the embedded sample [`tenant`].
//!
//! Nothing here takes part in what the proxy decides. It stands in for Microsoft Graph, so that the proxy can be
//! tried, tested and measured with no account, no consent and nobody's data.

pub mod folder;
pub mod tenant;
