//! What `glassine demo` starts beside the proxy: the embedded sample [`tenant`], and the sample [`analytics`] application
//! that an administrator returns to.
//!
//! Nothing here takes part in the proxy's decisions. It stands in for Microsoft Graph, Entra and the consumer, so that
//! the proxy can be tried, tested and measured without an account, a consent or real data.

pub mod analytics;
pub mod consumers;
pub mod folder;
mod socket;
pub mod tenant;
