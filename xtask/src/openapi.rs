//! `cargo xtask openapi`: writes `docs/openapi.json`. The test that compares it makes it, so that there is one way.

use crate::failure::Failure;
use crate::{repository, shell};

/// The test reads it and writes the file instead of comparing it.
const UPDATE_VARIABLE: &str = "DOORWARD_UPDATE_OPENAPI";
const TEST: &str = "openapi::tests::the_committed_description_is_the_one_the_types_make";

/// Writes the description.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("openapi does not know {argument:?}; it takes nothing")));
    }
    let mut command = shell::cargo();
    command.current_dir(repository::root()?).env(UPDATE_VARIABLE, "1");
    shell::run(command.args(["test", "--quiet", "--package", "doorward-web", "--lib", "--", "--exact", TEST]))?;
    println!("    docs/openapi.json is what the types say");
    Ok(())
}
