//! Pseudonyms from outside: published vectors of the primitives, AES-SIV beside another implementation of it, the
//! published contract, properties, and the ids of real messages.

mod contract;
mod properties;
mod real_ids;
mod reference;
mod siv;
mod wycheproof;
