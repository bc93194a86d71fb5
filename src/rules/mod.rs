//! The rules language: YAML as written, checked, compiled.

pub mod codes;
pub mod diagnostic;
pub mod yaml;

pub use diagnostic::{Diagnostic, Report, Severity};
