//! The connection to PostgreSQL.

use super::{Finding, error, warning};
use crate::configuration::database::{hosts_in, password_in, user_in};
use crate::configuration::{Configuration, Database};

/// Passwords that images, tutorials and compose files come with.
const DEFAULT_PASSWORDS: &[&str] = &[
    "postgres",
    "postgresql",
    "password",
    "passw0rd",
    "doorward",
    "admin",
    "root",
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "mysecretpassword",
    "test",
    "dev",
    "local",
    "123456",
    "12345678",
    "123456789",
    "qwerty",
];

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    // A file that cannot be read has its own finding.
    let Ok(Database::Postgres(url)) = configuration.database() else { return };
    let url = url.reveal();
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        found.push(error(
            "database_url_invalid",
            "database_url",
            "Begin with postgres:// — or leave database_url out for SQLite in data_dir.",
        ));
        return;
    }
    let is_remote = hosts_in(url).iter().any(|host| !is_local(host));
    password(url, is_remote, found);
    if is_remote {
        encryption(url, found);
    }
}

fn is_local(host: &str) -> bool {
    let is_loopback =
        |host: &str| host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    host.starts_with('/') || host == "localhost" || is_loopback(host)
}

fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn password(url: &str, is_remote: bool, found: &mut Vec<Finding>) {
    const REMEDY: &str = "Give the database user a password of its own, in database_password_file.";
    match password_in(url).filter(|password| !password.is_empty()) {
        None => {
            if is_remote && parameter(url, "sslcert").is_none() {
                found.push(error("database_password_missing", "database_password", REMEDY));
            }
        }
        Some(password) => {
            let is_default = DEFAULT_PASSWORDS.contains(&password.to_ascii_lowercase().as_str())
                || user_in(url).is_some_and(|user| user.eq_ignore_ascii_case(password));
            if is_default && is_remote {
                found.push(error("database_password_default", "database_password", REMEDY));
            } else if is_default {
                found.push(warning("database_password_default", "database_password", REMEDY));
            }
        }
    }
}

fn encryption(url: &str, found: &mut Vec<Finding>) {
    match parameter(url, "sslmode") {
        Some("disable" | "allow" | "prefer") => found.push(error("database_unencrypted", "database_url", "Off this machine the database is reached by TLS: sslmode=verify-full, with sslrootcert for an authority of your own.")),
        Some("require" | "verify-ca") => found.push(warning("database_unverified", "database_url", "Use sslmode=verify-full: without checking the server's name, anybody with a certificate can stand in between.")),
        _ => {}
    }
}
