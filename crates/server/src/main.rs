//! The `doorward` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorward_server::main()
}
