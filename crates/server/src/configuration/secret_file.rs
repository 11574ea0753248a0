//! Secrets that stand in files of their own.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use doorward_model::secret::SecretText;
use thiserror::Error;
use zeroize::Zeroizing;

/// No secret we read is longer than this.
const MAX_BYTES: u64 = 64 * 1024;

/// A file that should hold a secret and does not.
#[derive(Debug, Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It holds nothing, far too much, or bytes that are not text.
    #[error("{path} does not hold a secret (it is empty, too long, or not text)")]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
}

/// The text in the file without the line break at its end.
pub fn read(path: &Path) -> Result<SecretText, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let not_a_secret = || SecretFileError::NotASecret { path: path.to_owned() };
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(unreadable)?;
    match file.take(MAX_BYTES + 1).read_to_string(&mut text) {
        Ok(length) if length as u64 > MAX_BYTES => return Err(not_a_secret()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(not_a_secret()),
        Err(error) => return Err(unreadable(error)),
    }
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(not_a_secret());
    }
    Ok(SecretText::new(secret.to_owned()))
}

/// The secret a pair of settings names: the value itself, or the file that holds it; the file wins.
pub fn either(value: Option<&SecretText>, file: Option<&Path>) -> Result<Option<SecretText>, SecretFileError> {
    match file {
        Some(path) => read(path).map(Some),
        None => Ok(value.cloned()),
    }
}
