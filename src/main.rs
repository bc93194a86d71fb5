//! The `glassine` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    glassine::cli::run()
}
