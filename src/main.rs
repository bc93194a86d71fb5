//! The `glassine` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request makes a few hundred small allocations, and its page some large, short-lived ones. Measured, mimalloc is
/// faster at this than the C library's allocator (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    glassine::cli::run()
}
