//! `doorward check`.

use std::fmt::Write as _;

use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::check::{self, Facts, Finding, Level};
use crate::configuration::{Configuration, ConfigurationError};

/// Prints every finding; errors make it fail.
pub async fn run(loaded: Result<Configuration, ConfigurationError>, output: Output) -> Result<(), Failure> {
    let configuration = match loaded {
        Ok(configuration) => configuration,
        Err(ConfigurationError::Settings(problems)) if output.json => {
            let problems: Vec<_> = problems
                .iter()
                .map(|problem| json!({"place": problem.place, "setting": problem.name, "fault": problem.fault}))
                .collect();
            output.answer(&json!({"ok": false, "findings": [], "problems": problems}), String::new)?;
            return Err(Failure::new("the configuration cannot be read"));
        }
        Err(error) => return Err(error.into()),
    };
    let mut found = check::findings(&configuration, Facts::of_this_process());
    let ok = check::allows_serving(&found);
    // With settings that `serve` refuses, nothing is opened.
    if ok {
        found.extend(check::findings_in_data(&configuration).await);
    }
    output.answer(&json!({"ok": ok, "findings": found, "problems": []}), || {
        if found.is_empty() { "Nothing unsafe found.\n".to_owned() } else { listed(&found) }
    })?;
    if ok { Ok(()) } else { Err(Failure::new("doorward serve would refuse these settings")) }
}

/// Fails over errors, naming each.
pub fn refuse_errors(found: &[Finding]) -> Result<(), Failure> {
    let errors: Vec<Finding> = found.iter().filter(|finding| finding.level == Level::Error).cloned().collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("unsafe settings:\n{}", listed(&errors).trim_end())))
    }
}

fn listed(found: &[Finding]) -> String {
    found.iter().fold(String::new(), |mut text, finding| {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        // Writing to a String cannot fail.
        let about = finding.client.as_deref().unwrap_or(finding.setting);
        let _ = writeln!(text, "{level:7} {} ({about}): {}", finding.name, finding.remedy);
        text
    })
}
