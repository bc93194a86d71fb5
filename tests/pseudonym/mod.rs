//! Pseudonyms from outside: published vectors of the primitives, the published contract, properties, and the
//! ids of real messages.

mod contract;
mod properties;
mod real_ids;
mod wycheproof;
