//! Mail as files, for trying things out and for tests: one `.eml` each, never half written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use doorward_model::time::{Clock as _, Timestamp};

use super::{MailError, Outgoing};
use crate::telemetry::sources::SystemClock;

/// Writes into one folder.
#[derive(Debug)]
pub struct FileTransport {
    folder: PathBuf,
}

impl FileTransport {
    /// Into this folder, which is made with the first mail.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) async fn send(&self, message: Outgoing<'_>) -> Result<(), MailError> {
        let name = file_name(SystemClock.now(), message.id);
        let (folder, eml) = (self.folder.clone(), message.eml.to_vec());
        tokio::task::spawn_blocking(move || write(&folder, &name, &eml))
            .await
            .map_err(|error| MailError::Transient(Box::new(error)))?
            .map_err(|error| MailError::Transient(Box::new(error)))
    }
}

/// Names sort by time; the id keeps two of one moment apart. Only letters, digits and dashes reach the file system.
fn file_name(now: Timestamp, id: &str) -> String {
    let time: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    format!("{time}-{id}.eml")
}

fn write(folder: &Path, name: &str, eml: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = folder.join(format!(".{name}.tmp"));
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
    file.write_all(eml)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(name))?;
    File::open(folder)?.sync_all()
}
