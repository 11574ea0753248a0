//! Steps with a heading and a duration, so that a log shows where the time went.

use std::time::Instant;

use crate::failure::Failure;

/// Runs one step under its heading and prints how long it took.
pub(crate) fn run(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    println!("\n==> {name}");
    let started = Instant::now();
    let outcome = work();
    let seconds = started.elapsed().as_secs_f64();
    match &outcome {
        Ok(()) => println!("    {name}: done in {seconds:.1} s"),
        Err(failure) => println!("    {name}: FAILED after {seconds:.1} s: {failure}"),
    }
    outcome
}
