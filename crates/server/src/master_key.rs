//! The master key's file. What makes a key acceptable is decided where it is used, in `doorward_app::keys::sealing`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use doorward_app::keys::sealing::{MasterKeyProblem, MasterKeyText, MasterKeys};
use doorward_model::random::Random;
use thiserror::Error;

use crate::configuration::Configuration;
use crate::configuration::secret_file::{self, SecretFileError};

/// Why there is no master key.
#[derive(Debug, Error)]
pub enum MasterKeyError {
    /// The file cannot be read.
    #[error("the master key is missing")]
    Unreadable(#[from] SecretFileError),
    /// The file holds something else.
    #[error("{path} cannot be used")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: MasterKeyProblem,
    },
    /// A new one cannot be written; an existing file is never replaced.
    #[error("a new master key cannot be written to {path}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Reads the key in this file.
pub fn read(path: &Path) -> Result<MasterKeys, MasterKeyError> {
    let content = secret_file::read_bytes(path)?;
    MasterKeys::parse(&content).map_err(|problem| MasterKeyError::Unusable { path: path.to_owned(), problem })
}

/// Writes a new key, readable by its owner only. A file that is there stays and is an error.
pub fn create(path: &Path, random: &dyn Random) -> Result<(), MasterKeyError> {
    let text = MasterKeyText::generate(random);
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
        file.write_all(text.reveal().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // The name must be as durable as the key: without it the data is lost.
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| MasterKeyError::Unwritable { path: path.to_owned(), source })
}

/// The keys these settings name. Only where nothing can depend on a key yet, SQLite without data and no file named,
/// is one made.
pub fn open(configuration: &Configuration, random: &dyn Random) -> Result<MasterKeys, MasterKeyError> {
    let path = configuration.master_key_path();
    if configuration.makes_master_key() && !path.exists() {
        create(&path, random)?;
        tracing::info!(path = %path.display(), "made a master key; without it the data cannot be read, so keep a copy elsewhere");
    }
    let mut keys = read(&path)?;
    for path in &configuration.master_key_previous_files {
        let content = secret_file::read_bytes(path)?;
        keys.add_previous(&content).map_err(|problem| MasterKeyError::Unusable { path: path.clone(), problem })?;
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::telemetry::sources::SystemRandom;

    /// Proves: S-18
    #[test]
    fn a_new_key_reads_back_is_private_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        create(&path, &SystemRandom).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = read(&path).unwrap().fingerprint();
        assert!(matches!(create(&path, &SystemRandom), Err(MasterKeyError::Unwritable { .. })));
        assert_eq!(read(&path).unwrap().fingerprint(), first);
    }

    #[test]
    fn a_key_is_made_only_where_no_data_can_depend_on_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut configuration = Configuration { data_dir: folder.path().to_owned(), ..Configuration::default() };
        std::fs::write(configuration.sqlite_file(), "data").unwrap();
        assert!(open(&configuration, &SystemRandom).is_err());
        std::fs::remove_file(configuration.sqlite_file()).unwrap();
        let made = open(&configuration, &SystemRandom).unwrap().fingerprint();
        std::fs::write(configuration.sqlite_file(), "data").unwrap();
        assert_eq!(open(&configuration, &SystemRandom).unwrap().fingerprint(), made);
        configuration.master_key_file = Some(folder.path().join("elsewhere"));
        assert!(open(&configuration, &SystemRandom).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_fault_names_the_file_and_not_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        std::fs::write(&path, "hunter2").unwrap();
        let text = read(&path).unwrap_err().to_string();
        assert!(text.contains("master.key") && !text.contains("hunter2"), "{text}");
    }
}
