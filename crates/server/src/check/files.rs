//! Secret files, the data folder, the master key.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use doorward_app::keys::sealing::MasterKeyProblem;

use super::{Finding, error, warning};
use crate::configuration::{Configuration, secret_file};
use crate::master_key::{self, MasterKeyError};

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    for (setting, path) in configuration.secret_files() {
        if secret_file::read_bytes(path).is_err() {
            // A master key that is not there has its own finding, and TLS files too.
            if !setting.starts_with("master_key") && !setting.starts_with("tls.") {
                found.push(error(
                    "secret_file_unreadable",
                    setting,
                    "The file must exist, be readable by this user and hold the secret.",
                ));
            }
        } else {
            exposure(setting, path, found);
        }
    }
    if !configuration.inline_secrets().is_empty()
        && let Some(path) = &configuration.file
    {
        exposure("doorward.toml", path, found);
    }
    data_dir(&configuration.data_dir, found);
    master_key(configuration, found);
}

fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.permissions().mode())
}

fn exposure(setting: &'static str, path: &Path, found: &mut Vec<Finding>) {
    match mode(path) {
        Some(mode) if mode & 0o007 != 0 || mode & 0o020 != 0 => {
            found.push(error(
                "secret_file_exposed",
                setting,
                "Others on this machine can read or change this secret: chmod 600.",
            ));
        }
        Some(mode) if mode & 0o040 != 0 => {
            found.push(warning(
                "secret_file_group_readable",
                setting,
                "A whole group can read this secret: chmod 600 unless that is how it reaches this user.",
            ));
        }
        _ => {}
    }
}

fn data_dir(path: &Path, found: &mut Vec<Finding>) {
    match mode(path) {
        Some(mode) if mode & 0o002 != 0 => {
            found.push(error(
                "data_dir_writable_by_others",
                "data_dir",
                "Anybody on this machine can replace the data: chmod 700.",
            ));
        }
        Some(mode) if mode & 0o077 != 0 => {
            found.push(warning(
                "data_dir_open_to_others",
                "data_dir",
                "Others on this machine can look into the data folder: chmod 700.",
            ));
        }
        _ => {}
    }
}

fn master_key(configuration: &Configuration, found: &mut Vec<Finding>) {
    if configuration.master_key_file.is_none() && !configuration.is_sqlite() {
        found.push(error("master_key_missing", "master_key_file", "With PostgreSQL every node needs the same key in a file: `doorward init` or `openssl rand -base64 32` makes one."));
        return;
    }
    let path = configuration.master_key_path();
    let is_made_at_first_start = configuration.makes_master_key();
    if !is_made_at_first_start || path.exists() {
        key_in(&path, "master_key_file", found);
    }
    if configuration.master_key_file.is_none() && path.exists() {
        exposure("master_key_file", &path, found);
    }
    for path in &configuration.master_key_previous_files {
        key_in(path, "master_key_previous_files", found);
    }
    let is_or_will_be = is_made_at_first_start || path.exists();
    if !configuration.public_url.is_loopback() && is_or_will_be && lies_in(&path, &configuration.data_dir) {
        found.push(warning(
            "master_key_beside_data",
            "master_key_file",
            "Keep the key apart from the data: whoever copies the folder, a backup included, has both.",
        ));
    }
}

fn key_in(path: &Path, setting: &'static str, found: &mut Vec<Finding>) {
    const REMEDY: &str = "Put 32 random bytes in base64 there: `openssl rand -base64 32`. A key that sealed data is not replaced but rotated.";
    let problem = match master_key::read(path) {
        Ok(_) => return,
        Err(MasterKeyError::Unusable { problem, .. }) => problem,
        Err(MasterKeyError::Unreadable(_) | MasterKeyError::Unwritable { .. }) => {
            found.push(error("master_key_missing", setting, "The file must exist and be readable by this user. A lost key cannot be made again: restore it from where it is kept."));
            return;
        }
    };
    let finding = match problem {
        MasterKeyProblem::Placeholder => error("master_key_placeholder", setting, REMEDY),
        MasterKeyProblem::Empty | MasterKeyProblem::WrongLength { .. } => error("master_key_short", setting, REMEDY),
        MasterKeyProblem::Unreadable => error("master_key_malformed", setting, REMEDY),
        MasterKeyProblem::Predictable => error("master_key_predictable", setting, REMEDY),
        MasterKeyProblem::Cryptography => {
            error("cryptography_failed", setting, "The cryptographic library does not work on this machine.")
        }
    };
    found.push(finding);
}

fn lies_in(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(path).starts_with(real(folder))
}
