//! Unsafe settings, by name. `doorward check` lists them; `doorward serve` refuses to start over an error. No finding
//! holds a value.

mod accounts;
mod clients;
mod database;
mod files;
mod mail;
mod network;
mod numbers;

use serde::Serialize;

use crate::configuration::Configuration;

/// What a finding means for `serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It does not start.
    Error,
    /// It starts and says so.
    Warning,
}

/// One unsafe setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A name that does not change between versions.
    pub name: &'static str,
    /// What it means for `serve`.
    pub level: Level,
    /// The setting it is about.
    pub setting: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The application it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

const fn error(name: &'static str, setting: &'static str, remedy: &'static str) -> Finding {
    Finding { name, level: Level::Error, setting, remedy, client: None }
}

const fn warning(name: &'static str, setting: &'static str, remedy: &'static str) -> Finding {
    Finding { name, level: Level::Warning, setting, remedy, client: None }
}

/// What is true of the process rather than of its settings.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether it runs as the superuser.
    pub is_root: bool,
}

impl Facts {
    /// Of this process.
    pub fn of_this_process() -> Self {
        Self { is_root: rustix::process::geteuid().is_root() }
    }
}

/// Everything unsafe about these settings, errors first. Reads the files they name.
pub fn findings(configuration: &Configuration, facts: Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    network::judge(configuration, &mut found);
    database::judge(configuration, &mut found);
    files::judge(configuration, &mut found);
    accounts::judge(configuration, &mut found);
    mail::judge(configuration, &mut found);
    numbers::judge(configuration, &mut found);
    if facts.is_root {
        found.push(warning("running_as_root", "process", "Run doorward as an ordinary user; it needs no privilege."));
    }
    found.sort_by_key(|finding| finding.level);
    found
}

/// What is unsafe about the registered applications, where there is data already. Changes nothing.
pub async fn findings_in_data(configuration: &Configuration) -> Vec<Finding> {
    clients::judge(configuration).await
}

/// Whether `serve` may start.
pub fn allows_serving(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Error)
}

#[cfg(test)]
mod tests;
