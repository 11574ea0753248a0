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

/// Everything in the file.
pub fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let mut content = Zeroizing::new(Vec::new());
    let length =
        File::open(path).map_err(unreadable)?.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if length == 0 || length as u64 > MAX_BYTES {
        return Err(SecretFileError::NotASecret { path: path.to_owned() });
    }
    Ok(content)
}

/// The text in the file without the line break at its end.
pub fn read(path: &Path) -> Result<SecretText, SecretFileError> {
    let content = read_bytes(path)?;
    let text = std::str::from_utf8(&content).unwrap_or_default();
    let secret = text.strip_suffix('\n').unwrap_or(text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(SecretFileError::NotASecret { path: path.to_owned() });
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
