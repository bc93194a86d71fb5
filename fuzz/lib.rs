//! Fuzz targets of Glassine: what each holds to is in [`properties`], which the ordinary tests run too (`tests/fuzz.rs`).

#![forbid(unsafe_code)]

pub mod properties;
mod support;
