//! What tests share: test doubles, data and helpers.

pub(crate) mod able;
pub(crate) mod closed;
pub(crate) mod data;
pub(crate) mod entra;
pub(crate) mod glassine;
pub(crate) mod h2;
pub(crate) mod issuer;
pub(crate) mod kept;
pub(crate) mod logs;
pub(crate) mod reading;
pub(crate) mod recorder;
pub(crate) mod reference;
pub(crate) mod sanitizing;
pub(crate) mod spawned;
pub(crate) mod surrogates;
pub(crate) mod upstream;
pub(crate) mod waiting;
pub(crate) mod wire;
