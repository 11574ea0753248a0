//! The `doorward` binary.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Its background thread gives memory back after a rush, and it is faster than the system's for many small values
/// (docs/decisions/0012).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    doorward_server::main()
}
