//! What the manual says of sessions and tokens is what the defaults do, and it does not promise more.

use std::collections::BTreeSet;

use doorward_app::settings::SessionSettings;
use doorward_model::rotation::Rotation;
use doorward_model::time::{DAY_MS, SECOND_MS};

const MANUAL: &str = include_str!("../../../../docs/sessions-and-tokens.md");

fn assert_says(sentence: &str) {
    let plain = MANUAL.replace("**", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains(sentence), "the manual does not say {sentence:?}");
}

/// Proves: V7.1.1, V7.1.2
#[test]
fn the_manual_shows_the_limits_of_sessions_as_shipped() {
    let shipped = SessionSettings::default();
    assert_says(&format!("nobody used it for {} days (`sessions.idle_hours`)", shipped.idle_ms / DAY_MS));
    assert_says(&format!("at the latest after {} days (`sessions.absolute_days`)", shipped.absolute_ms / DAY_MS));
    assert_says(&format!("{} newer ones (`sessions.per_user`: the oldest ends)", shipped.per_user));
    assert_says(&format!("(`sessions.overlap_seconds`, {} by default)", shipped.overlap_ms / SECOND_MS));
    assert_eq!(shipped.rotation, Rotation::Recover);
    assert_says("With `sessions.rotation = \"recover\"`, the default");
    assert_says("renews at most 30 times a minute, after a burst of 60");
}

#[test]
fn the_manual_says_what_rotation_gives_and_what_it_does_not() {
    for sentence in [
        "a lost answer never signs anyone out, provided the client aborts a renewal before the overlap ends and keeps \
         one in flight",
        "A copy is found when its two holders present outside one overlap of each other",
        "A thief who shadows every renewal inside the overlap is not found by rotation",
        "A thief who gets a predecessor before its successor was shown can act until the owner's next renewal",
    ] {
        assert_says(sentence);
    }
}

/// What a heading is called in a link: small letters, digits and hyphens.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    plain.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

/// Every link from one page of the manual to another, or within one.
fn links(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    own.map(|target| target.split_once('#').map_or((target, None), |(page, place)| (page, Some(place))))
}

#[test]
fn every_link_of_the_manual_leads_somewhere() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let page = entry.unwrap().path();
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        for (target, place) in links(&text) {
            let led_to = if target.is_empty() { page.clone() } else { folder.join(target) };
            assert!(led_to.exists(), "{}: {target}", page.display());
            if let Some(place) = place {
                let there = std::fs::read_to_string(&led_to).unwrap();
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|line| anchor(line) == place), "{}: {target}#{place}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} links");
}

/// Every test function of this crate.
fn tests(folder: &std::path::Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let marked = text.split("#[test]").skip(1).filter_map(|rest| rest.split("fn ").nth(1)?.split('(').next());
        found.extend(marked.map(str::to_owned));
    }
}

#[test]
fn the_page_on_conformance_names_tests_that_there_are() {
    let mut there = BTreeSet::new();
    tests(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"), &mut there);
    let page = include_str!("../../../../docs/conformance.md");
    let (mut is_table_of_tests, mut seen, mut modules) = (false, 0, 0);
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells.last() {
            _ if !line.starts_with('|') => is_table_of_tests = false,
            Some(&"Test") => is_table_of_tests = true,
            Some(cell) if is_table_of_tests && !cell.starts_with("---") => {
                for name in cell.split('`').skip(1).step_by(2) {
                    assert!(there.contains(name), "{name} is no test");
                    seen += 1;
                }
                modules += 1;
                assert!(cell.contains('`') || cell.starts_with("the same"), "no test: {line}");
            }
            _ => {}
        }
    }
    assert!(seen > 50 && modules > 50, "{seen} tests for {modules} rows");
}
