//! `cargo xtask requirements`: which tests prove which requirement.
//!
//! A test names what it proves in its doc comment (`Proves: S-23, V6.3.8, A-1`). The collected list is
//! `docs/requirements.md`; CI fails when the committed list differs from the tests, so no proof is lost unseen.
//! `docs/requirements-notes.md` says of other requirements why no test proves them, one `- ID: reason` a line.

mod collect;
mod identifier;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::{Context, Failure};
use crate::repository;
use identifier::Identifier;

const REPORT: &str = "docs/requirements.md";
const NOTES: &str = "docs/requirements-notes.md";

/// Everything the report says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Requirements {
    /// `file::test name` by what it proves.
    proofs: BTreeMap<Identifier, BTreeSet<String>>,
    /// Why there is no test.
    notes: BTreeMap<Identifier, String>,
}

/// Writes the report, or with `--check` compares it.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => write(),
        [option] if option == "--check" => check(),
        _ => Err(Failure::usage("requirements takes nothing or --check")),
    }
}

/// Fails when the committed report differs from what the tests say.
pub(crate) fn check() -> Result<(), Failure> {
    let requirements = gather()?;
    let committed = std::fs::read_to_string(repository::root()?.join(REPORT)).context(format!("reading {REPORT}"))?;
    if committed == report::render(&requirements) {
        println!("    {} requirements have a test", requirements.proofs.len());
        return Ok(());
    }
    Err(Failure::new(format!("{REPORT} is out of date; run `cargo xtask requirements` and look at the difference")))
}

fn write() -> Result<(), Failure> {
    let requirements = gather()?;
    let path = repository::root()?.join(REPORT);
    std::fs::write(path, report::render(&requirements)).context(format!("writing {REPORT}"))?;
    println!("{REPORT}: {} requirements have a test", requirements.proofs.len());
    Ok(())
}

fn gather() -> Result<Requirements, Failure> {
    let mut requirements = Requirements::default();
    let mut mistakes = Vec::new();
    for file in repository::list_files()? {
        // This tool's own sources speak of such lines without being proofs.
        if file.path.starts_with("xtask/") {
            continue;
        }
        let Some(language) = collect::Language::of(&file) else { continue };
        let Some(text) = file.text()? else { continue };
        let found = collect::collect(language, &text);
        mistakes.extend(found.mistakes.iter().map(|mistake| format!("{}:{mistake}", file.path)));
        for (identifier, test) in found.proofs {
            requirements.proofs.entry(identifier).or_default().insert(format!("{}::{test}", file.path));
        }
    }
    if let Ok(text) = std::fs::read_to_string(repository::root()?.join(NOTES)) {
        for (number, line) in text.lines().enumerate() {
            match read_note(line) {
                Note::None => {}
                Note::Reason(identifier, reason) => drop(requirements.notes.insert(identifier, reason)),
                Note::Unreadable => mistakes.push(format!("{NOTES}:{}: not `- ID: reason`", number + 1)),
            }
        }
    }
    for identifier in requirements.notes.keys().filter(|identifier| requirements.proofs.contains_key(identifier)) {
        mistakes.push(format!("{NOTES}: {identifier} has a test by now; remove its note"));
    }
    if mistakes.is_empty() { Ok(requirements) } else { Err(Failure::new(format!("\n{}", mistakes.join("\n")))) }
}

#[derive(Debug, PartialEq, Eq)]
enum Note {
    None,
    Reason(Identifier, String),
    Unreadable,
}

fn read_note(line: &str) -> Note {
    let Some(entry) = line.strip_prefix("- ") else { return Note::None };
    let parts = entry.split_once(": ").filter(|(_, reason)| !reason.trim().is_empty());
    match parts.and_then(|(identifier, reason)| Some((Identifier::parse(identifier)?, reason))) {
        Some((identifier, reason)) => Note::Reason(identifier, reason.trim().to_owned()),
        None => Note::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_needs_an_identifier_and_a_reason() {
        assert_eq!(read_note("Some words."), Note::None);
        assert_eq!(read_note("- S-12"), Note::Unreadable);
        assert_eq!(read_note("- whatever: x"), Note::Unreadable);
        let identifier = Identifier::parse("S-12").unwrap();
        assert_eq!(read_note("- S-12: not built"), Note::Reason(identifier, "not built".into()));
    }
}
