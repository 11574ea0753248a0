//! Asks the running server everything its OpenAPI description allows, and much that it does not: no failure of the
//! server, and no answer that the description does not know.
//!
//! Schemathesis makes the requests, the same ones in each run. It is installed once, every package pinned, into a
//! virtual environment in the user's cache.

use std::process::Command;

use crate::development_server::{DevelopmentServer, EMAIL, ENDED, FORGETFUL, NEW, STRANGER};
use crate::failure::{Context, Failure};
use crate::python::SCHEMATHESIS;
use crate::shell;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Each call is asked this often in each phase that invents requests.
const EXAMPLES: &str = "30";
/// Calls that must have been got right. When one of them never succeeded, nothing was asked of it.
const MUST_SUCCEED: [(&str, &str, u16); 14] = [
    ("GET", "/api/v1/me", 200),
    ("PATCH", "/api/v1/me", 200),
    ("GET", "/api/v1/sessions", 200),
    ("DELETE", "/api/v1/sessions/{id}", 204),
    ("POST", "/api/v1/sessions/revoke-others", 204),
    ("POST", "/api/v1/signup", 202),
    ("POST", "/api/v1/email-verifications", 202),
    ("POST", "/api/v1/email-verifications/confirm", 200),
    ("POST", "/api/v1/password/forgot", 202),
    ("POST", "/api/v1/password/reset", 204),
    ("POST", "/api/v1/password/change", 204),
    ("POST", "/api/v1/login", 200),
    ("POST", "/api/v1/token", 200),
    ("POST", "/api/v1/logout", 204),
];
/// Calls that end what the others need; each is asked with a session of its own.
const ENDINGS: [&str; 2] = ["/api/v1/sessions/{id}", "/api/v1/logout"];
/// Examples of the description that stand for something of the running server: a sign-up's link, a reset's link, a
/// refresh token, a session's id, an address.
const LINK: &str = "dwo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const RESET: &str = "dwo_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA";
const REFRESH: &str = "dwr_the-refresh-token-that-the-sign-in-answered";
const SESSION: &str = "session_01h455vb4pex5vsknk084sn02q";

/// Asks as somebody who is signed in, then as a stranger.
pub(crate) fn run() -> Result<(), Failure> {
    let server = DevelopmentServer::start()?;
    let description = server.description()?;
    let outcome = ask_everything(&server, &description).and_then(|()| check_reach(&server.log()));
    if outcome.is_err() {
        let told = server.log();
        let failures: Vec<&str> = told.lines().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
        println!("the server's errors:\n{}", failures.join("\n"));
    }
    outcome
}

fn ask_everything(server: &DevelopmentServer, description: &str) -> Result<(), Failure> {
    let own = server.sign_in(EMAIL)?;
    let excluded: Vec<&str> = ENDINGS.iter().flat_map(|path| ["--exclude-path", path]).collect();
    let mut outcome = ask(server, description, &excluded, Some(&own.access_token));
    for path in ENDINGS {
        let (session, other) = (server.sign_in(ENDED)?, server.sign_in(ENDED)?);
        let description = description.replace(SESSION, &other.id);
        outcome = outcome.and(ask(server, &description, &["--include-path", path], Some(&session.access_token)));
    }
    let other = server.sign_in(STRANGER)?;
    let description = description
        .replace(LINK, &server.mailed_token("/api/v1/signup", NEW)?)
        .replace(RESET, &server.mailed_token("/api/v1/password/forgot", FORGETFUL)?)
        .replace(REFRESH, &other.refresh_token)
        // What the signed-in tool did to the account of the example does not matter to strangers.
        .replace(EMAIL, STRANGER);
    outcome.and(ask(server, &description, &[], None))
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

fn ask(server: &DevelopmentServer, description: &str, selection: &[&str], token: Option<&str>) -> Result<(), Failure> {
    let file = server.folder().join("openapi.json");
    std::fs::write(&file, description).context("writing the description with the server's own examples")?;
    let mut command = Command::new(SCHEMATHESIS.program("schemathesis")?);
    command.current_dir(server.folder());
    command.args(["run", "--no-color", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", EXAMPLES, "--generation-deterministic"]);
    command.args(["--suppress-health-check", "all", "--warnings", "off"]);
    command.args(selection).args(["--url", &server.url()]).arg(file);
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
