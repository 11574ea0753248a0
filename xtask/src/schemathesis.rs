//! Asks the running server everything its OpenAPI description allows, and much that it does not: no failure of the
//! server, and no answer that the description does not know.
//!
//! Schemathesis makes the requests, the same ones in each run. It is installed once, every package pinned, into a
//! virtual environment in the user's cache.

use std::path::PathBuf;
use std::process::Command;

use crate::development_server::DevelopmentServer;
use crate::failure::{Context, Failure};
use crate::{repository, shell};

/// The pinned packages; the environment keeps a copy of what it was made from.
const PACKAGES: &str = include_str!("../schemathesis.txt");
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Each call is asked this often in each phase that invents requests.
const EXAMPLES: &str = "30";
/// Calls that invented requests can get right. When none of them succeeded, nothing was asked.
const MUST_SUCCEED: [(&str, &str, u16); 5] = [
    ("GET", "/api/v1/me", 200),
    ("PATCH", "/api/v1/me", 200),
    ("GET", "/api/v1/sessions", 200),
    ("POST", "/api/v1/sessions/revoke-others", 204),
    ("POST", "/api/v1/password/forgot", 202),
];

/// Installs the tool unless exactly these packages are there.
pub(crate) fn install() -> Result<(), Failure> {
    let folder = environment_folder()?;
    let installed = folder.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|packages| packages == PACKAGES) {
        println!("    Python packages are up to date");
        return Ok(());
    }
    let list = repository::root()?.join("xtask/schemathesis.txt");
    shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(folder.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps"]);
    shell::run(install.arg("--requirement").arg(list))?;
    std::fs::write(installed, PACKAGES).context("noting which Python packages are installed")
}

/// Asks as somebody who is signed in, then as a stranger.
pub(crate) fn run() -> Result<(), Failure> {
    let server = DevelopmentServer::start()?;
    let token = server.sign_in()?;
    // Signing out would end what the other calls need; strangers ask for it.
    let own = ask(&server, &["--exclude-path", "/api/v1/logout"], Some(&token));
    let strangers = ask(&server, &[], None);
    let outcome = own.and(strangers).and_then(|()| check_reach(&server.log()));
    if outcome.is_err() {
        let told = server.log();
        let failures: Vec<&str> = told.lines().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
        println!("the server's errors:\n{}", failures.join("\n"));
    }
    outcome
}

/// Every answer fitting its description is worth nothing when all of them are refusals.
fn check_reach(log: &str) -> Result<(), Failure> {
    let unreached = MUST_SUCCEED.iter().find(|(method, route, status)| {
        let said = format!(r#""http.method":"{method}","http.route":"{route}","http.status":{status},"#);
        !log.contains(&said)
    });
    match unreached {
        None => Ok(()),
        Some((method, route, status)) => Err(Failure::new(format!(
            "{method} {route} never answered {status}: the requests do not reach what they test"
        ))),
    }
}

fn ask(server: &DevelopmentServer, selection: &[&str], token: Option<&str>) -> Result<(), Failure> {
    let mut command = Command::new(environment_folder()?.join("bin/schemathesis"));
    command.current_dir(server.folder());
    command.args(["run", "--no-color", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", EXAMPLES, "--generation-deterministic"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off"]);
    command.args(selection).arg(format!("{}/api/v1/openapi.json", server.url()));
    match token {
        // The token is not shown: it is no secret that matters, but logs are no place for one.
        Some(token) => {
            command.args(["--generation-with-security-parameters", "false"]);
            command.env("SCHEMATHESIS_ACCESS_TOKEN", token);
            let configuration = "headers = { Authorization = \"Bearer ${SCHEMATHESIS_ACCESS_TOKEN}\" }\n";
            std::fs::write(server.folder().join("schemathesis.toml"), configuration)
        }
        None => std::fs::write(server.folder().join("schemathesis.toml"), ""),
    }
    .context("writing the tool's settings")?;
    shell::run(&mut command)
}

/// `$XDG_CACHE_HOME/doorward/schemathesis`, by default in `~/.cache`.
fn environment_folder() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME names a folder for Schemathesis"))?;
    Ok(cache.join("doorward/schemathesis"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_refused_everywhere_fails() {
        let line = |(method, route, status): &(&str, &str, u16)| {
            format!(r#"{{"http.method":"{method}","http.route":"{route}","http.status":{status},"duration_ms":1}}"#)
        };
        let whole: String = MUST_SUCCEED.iter().map(line).collect();
        assert!(check_reach(&whole).is_ok());
        let refused = whole.replace(r#""/api/v1/me","http.status":200"#, r#""/api/v1/me","http.status":401"#);
        assert!(check_reach(&refused).unwrap_err().to_string().starts_with("GET /api/v1/me never answered 200"));
    }
}
