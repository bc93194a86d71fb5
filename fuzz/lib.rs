//! The fuzz targets of Glassine. Each tests one of the [`properties`], which the ordinary tests run, too
//! (`tests/fuzz.rs`).

#![forbid(unsafe_code)]

pub mod properties;
mod support;
