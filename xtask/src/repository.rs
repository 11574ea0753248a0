//! The repository's own files.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Failure};
use crate::shell;

/// The folder of the workspace.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(Path::to_path_buf).ok_or_else(|| Failure::new("the tool's package has no parent folder"))
}

/// A file of the repository: its path from the root, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Path from the root.
    pub(crate) path: String,
    absolute: PathBuf,
}

impl SourceFile {
    /// Whether the name ends in one of these extensions.
    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| extensions.iter().any(|wanted| own.eq_ignore_ascii_case(wanted)))
    }

    /// The content, or nothing when the file is not UTF-8 text.
    pub(crate) fn text(&self) -> Result<Option<String>, Failure> {
        let bytes = std::fs::read(&self.absolute).context(format!("reading {}", self.path))?;
        Ok(String::from_utf8(bytes).ok())
    }
}

/// Every file that is committed or would be, sorted by path.
pub(crate) fn list_files() -> Result<Vec<SourceFile>, Failure> {
    let root = root()?;
    let mut git = Command::new("git");
    git.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = shell::output(&mut git)?;
    let mut files: Vec<SourceFile> = listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(|path| SourceFile { path: path.to_owned(), absolute: root.join(path) })
        .filter(|file| file.absolute.is_file())
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}
