//! The `glassine` binary.

fn main() {}
