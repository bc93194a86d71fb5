//! The `glassine` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request makes a few hundred small allocations, and its page some large ones that come and go: measured, this one
/// serves them in less time than the C library's (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    glassine::cli::run()
}
