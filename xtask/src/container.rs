//! The container's build context (`.dockerignore`) holds what the product's sources are built from.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::repository;

/// What is allowed into the build context: the lines `!NAME`.
fn allowed() -> Result<BTreeSet<String>, Failure> {
    let rules = std::fs::read_to_string(repository::root()?.join(".dockerignore")).context("reading .dockerignore")?;
    Ok(rules.lines().filter_map(|line| line.strip_prefix('!')).map(str::to_owned).collect())
}

/// The files that a source includes while it is compiled for use; tests stand at the end of a file.
fn included(source: &Path, text: &str) -> Vec<PathBuf> {
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = ["include_str!(", "include_bytes!("].into_iter().flat_map(|call| product.split(call).skip(1));
    let literals = calls.filter_map(|rest| rest.split('"').nth(1));
    literals.map(|literal| without_dots(&source.parent().unwrap_or(Path::new("")).join(literal))).collect()
}

fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            clean.pop();
        } else {
            clean.push(component);
        }
    }
    clean
}

/// The folders of the workspace: without one of them cargo builds nothing.
fn members(manifest: &str) -> Vec<&str> {
    let list = manifest.split_once("\nmembers = [").and_then(|(_, rest)| rest.split_once(']'));
    list.map(|(list, _)| list.split('"').skip(1).step_by(2).collect()).unwrap_or_default()
}

/// Names each member of the workspace and each included file that the container's build would not find.
pub(crate) fn check() -> Result<(), Failure> {
    let allowed = allowed()?;
    let manifest = std::fs::read_to_string(repository::root()?.join("Cargo.toml")).context("reading Cargo.toml")?;
    let members = members(&manifest);
    if members.is_empty() {
        return Err(Failure::new("Cargo.toml names no members, or in another form than this check reads"));
    }
    let top = |member: &str| member.split('/').next().unwrap_or_default().to_owned();
    let kept_out = members.into_iter().filter(|member| !allowed.contains(&top(member)));
    let mut missing: Vec<String> = kept_out.map(|member| format!("the workspace has {member}")).collect();
    for file in repository::list_files()? {
        let is_product =
            file.path.starts_with("crates/") && file.path.contains("/src/") && !file.path.contains("tests");
        if !is_product || !file.has_extension(&["rs"]) {
            continue;
        }
        let Some(text) = file.text()? else { continue };
        for path in included(Path::new(&file.path), &text) {
            let top = path.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
            if !top.is_some_and(|top| allowed.contains(&top)) {
                missing.push(format!("{} includes {}", file.path, path.display()));
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(".dockerignore keeps out:\n{}", missing.join("\n"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_the_manifest() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\", \"bench\",\n    \"examples/*\"]\nexclude = [\"fuzz\"]\n";
        assert_eq!(members(manifest), ["crates/*", "bench", "examples/*"]);
    }

    #[test]
    fn what_is_included_is_found_from_its_source() {
        let text = "const A: &str = include_str!(\"../../x/y.txt\");\nB: include_str!(concat!(\"../../../z/\", $tag));\n\
                    #[cfg(test)]\nmod tests { const C: &str = include_str!(\"../../../docs/d.md\"); }";
        let found = included(Path::new("crates/a/src/b.rs"), text);
        assert_eq!(found, [PathBuf::from("crates/x/y.txt"), PathBuf::from("z/")]);
    }
}
