//! The `doorward` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Faster than the system's for many small values, and it gives memory back after a rush (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    doorward_server::main()
}
