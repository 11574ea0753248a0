//! `doorward init`: a commented `doorward.toml` and a master key.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::cli::{Global, Init};
use crate::configuration::layers::{self, FILE_NAME};
use crate::configuration::template::{commented, quoted};
use crate::telemetry::sources::SystemRandom;
use crate::{data_dir, master_key};

/// Writes both files.
pub fn run(global: &Global, flags: &Init, output: Output) -> Result<(), Failure> {
    let file = global.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
    if file.exists() {
        return Err(Failure::new(format!("{} exists already; it stays as it is", file.display())));
    }
    // The flags are judged as the file's values will be, before anything is written.
    let configuration = layers::from_flags(&global.flags())?;
    let key = flags.master_key_file.clone().unwrap_or_else(|| configuration.data_dir.join("master.key"));
    data_dir::create(&configuration.data_dir)?;
    // What they hold is the server's business alone, so a folder that is missing is made as private as the data's.
    for folder in [file.parent(), key.parent()].into_iter().flatten().filter(|folder| !folder.as_os_str().is_empty()) {
        data_dir::create(folder)?;
    }
    let made_key = !key.exists();
    if made_key {
        master_key::create(&key, &SystemRandom)?;
    } else {
        master_key::read(&key)?;
    }
    write_new(&file, &commented(&chosen(global, &key)))?;
    output.answer(&json!({"config": file, "master_key_file": key, "made_master_key": made_key}), || {
        format!(
            "Wrote {}. Read it through: every setting is explained there.\n{} the master key {}. Without it the data \
             cannot be read: keep a copy elsewhere, apart from backups of the data.\nNext: doorward check --config {}\n",
            file.display(),
            if made_key { "Made" } else { "Kept" },
            key.display(),
            file.display(),
        )
    })
}

fn chosen(global: &Global, key: &Path) -> Vec<(&'static str, String)> {
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut chosen = vec![("master_key_file", path(key))];
    chosen.extend(global.public_url.as_deref().map(|url| ("public_url", quoted(url))));
    chosen.extend(global.data_dir.as_deref().map(|folder| ("data_dir", path(folder))));
    chosen.extend(global.database_url.as_ref().map(|url| ("database_url", quoted(url.reveal()))));
    chosen.extend(global.ops_listen.as_deref().map(|address| ("ops_listen", quoted(address))));
    if !global.listen.is_empty() {
        let addresses: Vec<String> = global.listen.iter().map(|address| quoted(address)).collect();
        chosen.push(("listen", format!("[{}]", addresses.join(", "))));
    }
    chosen
}

/// The file may come to hold a password, so only its owner reads it.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
