//! Finds the commit this binary is built from, for `doorward --version`. Outside a checkout (a source archive, a
//! container build without `.git`) the packager may say it in `BUILD_COMMIT`; otherwise it is "unknown". Neither variable
//! is called `DOORWARD_…`: `cargo run` hands what is set here to the program, which takes such names for settings.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BUILD_COMMIT");
    #[expect(clippy::disallowed_methods, reason = "a build script has no injected configuration")]
    let given = std::env::var("BUILD_COMMIT").ok();
    let commit = given.or_else(|| commit_of(Path::new("../../.git"))).filter(|commit| is_hexadecimal(commit));
    println!("cargo:rustc-env=COMMIT_OF_BUILD={}", commit.as_deref().map_or("unknown", |full| &full[..12]));
}

fn is_hexadecimal(commit: &str) -> bool {
    commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The commit that is checked out, read from the files git keeps (see gitrepository-layout).
fn commit_of(git: &Path) -> Option<String> {
    let folder = git_folder(git)?;
    let head_file = folder.join("HEAD");
    println!("cargo:rerun-if-changed={}", head_file.display());
    let head = fs::read_to_string(&head_file).ok()?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    // In a linked worktree the references live in the main repository.
    let shared = fs::read_to_string(folder.join("commondir"))
        .map_or_else(|_| folder.clone(), |relative| folder.join(relative.trim()));
    let loose = shared.join(reference);
    if let Ok(commit) = fs::read_to_string(&loose) {
        println!("cargo:rerun-if-changed={}", loose.display());
        return Some(commit.trim().to_owned());
    }
    let packed_file = shared.join("packed-refs");
    println!("cargo:rerun-if-changed={}", packed_file.display());
    let packed = fs::read_to_string(&packed_file).ok()?;
    let line = packed.lines().find(|line| line.ends_with(&format!(" {reference}")))?;
    line.split(' ').next().map(str::to_owned)
}

/// `.git` is a folder, or in a linked worktree a file that says where the folder is.
fn git_folder(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let pointer = fs::read_to_string(git).ok()?;
    let target = PathBuf::from(pointer.strip_prefix("gitdir: ")?.trim());
    Some(if target.is_absolute() { target } else { git.parent()?.join(target) })
}
