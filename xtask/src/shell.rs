//! Other programs: finding them and running them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Context, Failure};

/// Finds a program in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Runs a command with its output shown and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("    $ {}", describe(command));
    let status = command.stdin(Stdio::null()).status().context(describe(command))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{} ended with {status}", describe(command)))) }
}

/// Runs a command and returns what it printed; its messages are shown only in the failure.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().context(describe(command))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).context(describe(command));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Err(Failure::new(format!("{} ended with {}:\n{}", describe(command), output.status, said.trim())))
}

/// The cargo that runs this tool.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The folder of the build that this tool itself belongs to, with the other programs of the workspace in it.
pub(crate) fn build_folder() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().context("finding the tool's own path")?;
    own.parent().map(Path::to_path_buf).ok_or_else(|| Failure::new("the tool has no folder"))
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|status| status.uid() == 0)
}

fn describe(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| line + " " + &argument.to_string_lossy())
}
