//! The text of `docs/requirements.md`.

use std::collections::BTreeSet;

use super::Requirements;
use super::identifier::Identifier;

const HEAD: &str = "\
# What is proved, and by which test

Written by `cargo xtask requirements` from the `Proves:` lines of the tests; do not edit.
Reasons for requirements without a test stand in `requirements-notes.md`.
";

type Section = (&'static str, fn(&Identifier) -> bool);

const SECTIONS: [Section; 3] = [
    ("Reviews of real systems", |identifier| matches!(identifier, Identifier::Seed(..))),
    ("OWASP ASVS 5.0", |identifier| matches!(identifier, Identifier::Asvs(..))),
    ("Attacks", |identifier| matches!(identifier, Identifier::Attack(..))),
];

/// The whole page, sorted, the same for the same tests.
pub(super) fn render(requirements: &Requirements) -> String {
    let mut lines =
        vec![HEAD.to_owned(), "| | With tests | With a reason instead |".to_owned(), "|---|---|---|".to_owned()];
    for (title, belongs) in SECTIONS {
        let proved = requirements.proofs.keys().filter(|&id| belongs(id)).count();
        let noted = requirements.notes.keys().filter(|&id| belongs(id)).count();
        lines.push(format!("| {title} | {proved} | {noted} |"));
    }
    for (title, belongs) in SECTIONS {
        lines.push(format!("\n## {title}\n\n| Id | Proof |\n|---|---|"));
        let proofs = requirements.proofs.iter().map(|(identifier, tests)| (identifier, list_tests(tests)));
        let notes = requirements.notes.iter().map(|(identifier, reason)| (identifier, reason.clone()));
        let mut rows: Vec<(&Identifier, String)> = proofs.chain(notes).filter(|(id, _)| belongs(id)).collect();
        rows.sort();
        lines.extend(rows.iter().map(|(identifier, proof)| format!("| {identifier} | {proof} |")));
    }
    lines.join("\n") + "\n"
}

fn list_tests(tests: &BTreeSet<String>) -> String {
    tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_and_reasons_are_sorted_into_one_table() {
        let mut requirements = Requirements::default();
        for (id, test) in [("S-10", "b.rs::two"), ("S-10", "a.rs::one"), ("A-1", "a.rs::one")] {
            let tests = requirements.proofs.entry(Identifier::parse(id).unwrap()).or_default();
            tests.insert(test.to_owned());
        }
        requirements.notes.insert(Identifier::parse("S-9").unwrap(), "not built".to_owned());
        let page = render(&requirements);
        assert!(page.contains("| S-9 | not built |\n| S-10 | `a.rs::one`<br>`b.rs::two` |\n"));
        assert!(page.contains("| Reviews of real systems | 1 | 1 |\n| OWASP ASVS 5.0 | 0 | 0 |\n| Attacks | 1 | 0 |"));
    }
}
