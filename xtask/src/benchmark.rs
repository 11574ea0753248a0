//! `cargo xtask bench`: the benchmarks, always in the release profile.

use std::process::Command;

use crate::failure::Failure;
use crate::postgres::{self, Cluster};
use crate::setup::{self, Need};
use crate::{python, repository, shell};

/// Builds the server and the benchmarks, then runs the benchmarks with the given arguments.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = repository::root()?;
    let name = arguments.first().map(String::as_str);
    match name {
        Some("better-auth") => {
            setup::ensure(&[Need::Node])?;
            setup::install_better_auth()?;
        }
        Some("provider") => {
            setup::ensure(&[Need::Node])?;
            setup::install_oidc_provider()?;
        }
        Some("verify") => {
            setup::ensure(&[Need::Node, Need::Python])?;
            setup::install_jose()?;
            python::PYJWT.install()?;
        }
        _ => {}
    }
    shell::run(shell::cargo().current_dir(&root).args(["build", "--release", "--bin", "doorward"]))?;
    if matches!(name, Some("verify" | "revocation")) {
        shell::run(shell::cargo().current_dir(&root).args(["build", "--release", "--package", "resource-server"]))?;
    }
    let mut benchmarks = shell::cargo();
    benchmarks.env("DOORWARD_BENCH_PYTHON", python::PYJWT.program("python")?);
    benchmarks.current_dir(&root).args(["run", "--release", "--package", "doorward-bench", "--"]).args(arguments);
    if name == Some("renewal-postgres") {
        return beside_a_cluster(&mut benchmarks);
    }
    shell::run(&mut benchmarks)
}

/// Starts a throwaway cluster for as long as the benchmark runs.
fn beside_a_cluster(benchmarks: &mut Command) -> Result<(), Failure> {
    setup::ensure(&[Need::Postgres])?;
    let programs = postgres::find_programs().ok_or_else(|| Failure::new("no PostgreSQL server programs found"))?;
    let cluster = Cluster::start()?;
    benchmarks.args(["--postgres", cluster.url(), "--postgres-programs"]).arg(programs);
    shell::run(benchmarks)
}
