//! The data folder: private, and used by one server at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the folder cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// It cannot be made or written to.
    #[error("the folder {path} cannot be used")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another server runs on it.
    #[error("another doorward serves from {path}; two servers need PostgreSQL and a data folder each")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// Makes the folder, closed to others, unless it is there.
pub fn create(path: &Path) -> Result<(), DataDirError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| DataDirError::Unusable { path: path.to_owned(), source })
}

/// Files this process creates are nobody else's business, whatever the shell's umask says.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// The folder, kept from other servers until dropped. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if needed and takes it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        create(path)?;
        let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("doorward.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_folder_is_closed_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let taken = DataDir::take(&path).unwrap();
        assert_eq!(std::fs::metadata(taken.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let lock = std::fs::metadata(path.join("doorward.lock")).unwrap();
        assert_eq!(lock.permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::take(folder.path()).unwrap();
        assert!(matches!(DataDir::take(folder.path()), Err(DataDirError::InUse { .. })));
        drop(first);
        assert!(DataDir::take(folder.path()).is_ok());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, "").unwrap();
        assert!(DataDir::take(&path).unwrap_err().to_string().contains("data"));
    }
}
