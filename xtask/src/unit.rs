//! The systemd unit allows the system calls that the sources make and its groups leave out.

use crate::failure::{Context, Failure};
use crate::repository;

const UNIT: &str = "deploy/doorward.service";

/// What a source says, and the call that the system then sees. A refused one is an error the program lives with, so
/// that nothing else tells.
const CALLS: [(&str, &str); 1] = [("rustix::process::nice(", "setpriority")];

/// Whether a line allows the call and no later one takes groups away.
fn allows(unit: &str, call: &str) -> bool {
    let filters = unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter="));
    filters.fold(false, |allowed, filter| {
        !filter.starts_with('~') && (allowed || filter.split_whitespace().any(|name| name == call))
    })
}

/// Names each call that a source makes and the unit refuses.
pub(crate) fn check() -> Result<(), Failure> {
    let unit = std::fs::read_to_string(repository::root()?.join(UNIT)).context(format!("reading {UNIT}"))?;
    let mut refused = Vec::new();
    for file in repository::list_files()? {
        if !file.path.starts_with("crates/") || !file.has_extension(&["rs"]) {
            continue;
        }
        let Some(text) = file.text()? else { continue };
        let made = CALLS.iter().filter(|(source, call)| text.contains(source) && !allows(&unit, call));
        refused.extend(made.map(|(_, call)| format!("{call}, which {} makes", file.path)));
    }
    if refused.is_empty() { Ok(()) } else { Err(Failure::new(format!("{UNIT} refuses {}", refused.join("\n")))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_allowed_by_name_after_the_last_groups_that_are_left_out() {
        let groups = "SystemCallFilter=@system-service\nSystemCallFilter=~@resources\n";
        assert!(!allows(groups, "setpriority"));
        assert!(!allows(&format!("{groups}# SystemCallFilter=setpriority\n"), "setpriority"));
        assert!(!allows(&format!("SystemCallFilter=setpriority\n{groups}"), "setpriority"));
        assert!(allows(&format!("{groups}SystemCallFilter=getpriority setpriority\n"), "setpriority"));
    }
}
