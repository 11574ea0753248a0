//! What belongs to one machine stays out of the repository: its paths, its registries, its logins.

use crate::failure::Failure;
use crate::repository;

/// Folders of single machines. Written in two halves, so that this file passes its own check.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
/// The only source of crates.
const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
/// Settings of npm that name a registry or a login.
const NPM_SETTINGS: [&str; 3] = ["registry", "_auth", "proxy"];
const CONFLICT_MARK: &str = concat!("<<<<", "<<< ");

/// Looks at every text file of the repository.
pub(crate) fn check() -> Result<(), Failure> {
    let mut findings = Vec::new();
    for file in repository::list_files()? {
        let Some(text) = file.text()? else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(problem) = problem(&file.path, line) {
                findings.push(format!("{}:{}: {problem}", file.path, number + 1));
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::new(format!("\n{}", findings.join("\n")))) }
}

fn problem(path: &str, line: &str) -> Option<&'static str> {
    let file_name = path.rsplit('/').next().unwrap_or(path);
    let line = line.trim();
    match file_name {
        "Cargo.lock" if line.starts_with("source = ") && line != CRATES_IO => {
            return Some("a package that does not come from crates.io");
        }
        "package-lock.json" if line.starts_with("\"resolved\"") => return Some("a download address"),
        ".npmrc" if NPM_SETTINGS.iter().any(|name| is_npm_setting(line, name)) => {
            return Some("a registry or login of one machine");
        }
        _ => {}
    }
    let is_cargo_configuration = path.starts_with(".cargo/") && line.starts_with('[');
    if is_cargo_configuration && line != "[alias]" {
        return Some("a cargo setting of one machine");
    }
    if line.starts_with(CONFLICT_MARK) {
        return Some("a mark of an unfinished merge");
    }
    MACHINE_PATHS.iter().any(|folder| names_path(line, folder)).then_some("a path of one machine")
}

fn is_npm_setting(line: &str, name: &str) -> bool {
    line.split('=').next().is_some_and(|key| key.contains(name) && key.trim() != "omit-lockfile-registry-resolved")
}

/// Whether the line has this folder at the beginning of a path, not in its middle.
fn names_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "._-}~".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_anywhere_in_a_line() {
        assert!(problem("README.md", &["see /ho", "me/me/notes"].concat()).is_some());
        assert!(problem("a.toml", &["path = \"/wo", "rk/x\""].concat()).is_some());
        assert_eq!(problem("a.rs", "\"/network/address\", \"/api/homes/1\", framework/x"), None);
        assert_eq!(problem("a.rs", &["example.org/wo", "rk/x"].concat()), None);
    }

    #[test]
    fn a_lock_file_names_only_the_public_registry() {
        assert_eq!(problem("Cargo.lock", CRATES_IO), None);
        assert!(problem("Cargo.lock", "source = \"git+https://example.org/x\"").is_some());
        assert!(problem("a/package-lock.json", "  \"resolved\": \"https://example.org/x.tgz\",").is_some());
    }

    #[test]
    fn settings_of_one_machine_are_refused() {
        assert!(problem("a/.npmrc", "registry=https://example.org/").is_some());
        assert!(problem("a/.npmrc", "//example.org/:_authToken=x").is_some());
        assert_eq!(problem("a/.npmrc", "omit-lockfile-registry-resolved=true"), None);
        assert!(problem(".cargo/config.toml", "[source.crates-io]").is_some());
        assert_eq!(problem(".cargo/config.toml", "[alias]"), None);
    }
}
