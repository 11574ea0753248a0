//! The master key: 32 random bytes in base64 in a file of their own. It seals what the database holds.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use doorward_model::random::{self, Random};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::configuration::secret_file::{self, SecretFileError};

const BYTES: usize = 32;
/// Of 32 random bytes about 30 differ from each other; fewer than this happens once in more than 10^15 keys.
const FEWEST_DIFFERENT: usize = 20;

/// The key. `Debug` shows nothing and memory is zeroed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; BYTES]);

/// What is wrong with a text that should be a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// A sentence to be replaced, left as it was.
    #[error("it is a placeholder, not a key")]
    Placeholder,
    /// Not base64, or not 32 bytes of it.
    #[error("it is not 32 bytes in base64")]
    Length,
    /// The bytes repeat themselves.
    #[error("its bytes repeat: it is not random")]
    Repetitive,
}

/// Why there is no master key.
#[derive(Debug, Error)]
pub enum MasterKeyError {
    /// The file cannot be read.
    #[error("the master key is missing")]
    Unreadable(#[from] SecretFileError),
    /// The file holds something else.
    #[error("the master key in {path} cannot be used: {fault}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: KeyFault,
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

impl MasterKey {
    /// Reads the text of a key: 32 bytes, as `openssl rand -base64 32` writes them.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let text = text.trim();
        if is_placeholder(text) {
            return Err(KeyFault::Placeholder);
        }
        let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        let decoded = engines.iter().find_map(|engine| engine.decode(text).ok()).map(Zeroizing::new);
        let key: [u8; BYTES] = decoded.and_then(|bytes| bytes.as_slice().try_into().ok()).ok_or(KeyFault::Length)?;
        let mut seen = [false; 256];
        for byte in key {
            seen[usize::from(byte)] = true;
        }
        let key = Self(key);
        if seen.iter().filter(|seen| **seen).count() < FEWEST_DIFFERENT {
            return Err(KeyFault::Repetitive);
        }
        Ok(key)
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        Self::parse(secret_file::read(path)?.reveal())
            .map_err(|fault| MasterKeyError::Unusable { path: path.to_owned(), fault })
    }

    /// Writes a new key, readable by its owner only. A file that is there stays and is an error.
    pub fn create(path: &Path, random: &dyn Random) -> Result<Self, MasterKeyError> {
        let key = Self(random::bytes(random));
        let text = Zeroizing::new(STANDARD.encode(key.0) + "\n");
        let write = || {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // The name must be as durable as the key: without it the data is lost.
            std::fs::File::open(
                path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            )?
            .sync_all()
        };
        write().map_err(|source| MasterKeyError::Unwritable { path: path.to_owned(), source })?;
        Ok(key)
    }

    /// The bytes. Keep them out of logs, rows and errors.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey[redacted]")
    }
}

fn is_placeholder(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["change", "secret", "placeholder", "example", "replace", "your-", "your_", "insert"]
        .iter()
        .any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::telemetry::sources::SystemRandom;

    /// Proves: S-21, S-254
    #[test]
    fn texts_that_are_no_key_are_refused() {
        let repeated = STANDARD.encode([b'a'; 32]);
        let counted = STANDARD.encode([1, 2, 3, 4, 5, 6, 7, 8].repeat(4));
        let short = STANDARD.encode(&(0..31).collect::<Vec<u8>>());
        let long = STANDARD.encode(&(0..33).collect::<Vec<u8>>());
        for (text, fault) in [
            ("changeme", KeyFault::Placeholder),
            ("your-super-secret-jwt-key-change-this", KeyFault::Placeholder),
            ("REPLACE_WITH_32_RANDOM_BYTES", KeyFault::Placeholder),
            ("", KeyFault::Length),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", KeyFault::Length),
            ("not base64 at all, not base64 at all", KeyFault::Length),
            (short.as_str(), KeyFault::Length),
            (long.as_str(), KeyFault::Length),
            (repeated.as_str(), KeyFault::Repetitive),
            (counted.as_str(), KeyFault::Repetitive),
        ] {
            assert_eq!(MasterKey::parse(text).unwrap_err(), fault, "{text}");
        }
    }

    /// Proves: S-18
    #[test]
    fn a_new_key_reads_back_is_private_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let key = MasterKey::create(&path, &SystemRandom).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::read(&path).unwrap().as_bytes(), key.as_bytes());
        assert!(matches!(MasterKey::create(&path, &SystemRandom), Err(MasterKeyError::Unwritable { .. })));
        assert_eq!(MasterKey::read(&path).unwrap().as_bytes(), key.as_bytes());
        assert_eq!(format!("{key:?}"), "MasterKey[redacted]");
    }

    #[test]
    fn a_fault_names_the_file_and_not_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        std::fs::write(&path, "hunter2").unwrap();
        let text = MasterKey::read(&path).unwrap_err().to_string();
        assert!(text.contains("master.key") && !text.contains("hunter2"), "{text}");
    }
}
