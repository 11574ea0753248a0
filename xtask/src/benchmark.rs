//! `cargo xtask bench`: the benchmarks, always in the release profile.

use crate::failure::Failure;
use crate::{repository, shell};

/// Builds the server and the benchmarks, then runs the benchmarks with the given arguments.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = repository::root()?;
    shell::run(shell::cargo().current_dir(&root).args(["build", "--release", "--bin", "doorward"]))?;
    shell::run(
        shell::cargo()
            .current_dir(&root)
            .args(["run", "--release", "--package", "doorward-bench", "--"])
            .args(arguments),
    )
}
