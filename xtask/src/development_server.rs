//! The development binary, started for a step as a person would start it: ports and folder of its own, one account.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure};
use crate::{postgres, shell};

const START_PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);
/// The account of the description's examples.
pub(crate) const EMAIL: &str = "ada@example.com";
/// The same password, for all accounts.
const PASSWORD: &str = "violet umbrella 7 crossing";
/// Somebody whose sessions end.
pub(crate) const ENDED: &str = "ben@example.com";
/// Somebody who forgets their password.
pub(crate) const FORGETFUL: &str = "cyd@example.com";
/// Somebody who signs in without a token.
pub(crate) const STRANGER: &str = "dot@example.com";
/// Somebody who has no account yet.
pub(crate) const NEW: &str = "eva@example.com";

/// What signing in in token mode answers.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// A running server; dropping it ends the process and removes its folder.
pub(crate) struct DevelopmentServer {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl DevelopmentServer {
    /// Starts the server with the README's first command (but for its profile), with accounts, and waits until it is
    /// ready.
    pub(crate) fn start() -> Result<Self, Failure> {
        let folder = postgres::create_folder("schemathesis")?;
        let (port, operations_port) = (postgres::free_port()?, postgres::free_port()?);
        let log = std::fs::File::create(folder.join("server.log")).context("creating the server's log")?;
        for email in [EMAIL, ENDED, FORGETFUL, STRANGER] {
            create_user(&folder, email)?;
        }
        let process = first_command(&folder)?
            .args(["serve", "--data-dir", "data", "--public-url", &format!("http://localhost:{port}")])
            .args(["--listen", &format!("127.0.0.1:{port}"), "--ops-listen", &format!("127.0.0.1:{operations_port}")])
            // Tests come faster than people do, from one address.
            .env("DOORWARD_LIMITS__SCALE", "100")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting the server")?;
        let mut server = Self { process, folder, port };
        server.wait_until_ready(operations_port)?;
        Ok(server)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A folder that goes with the server.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Its description of itself.
    pub(crate) fn description(&self) -> Result<String, Failure> {
        let request =
            format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", self.port);
        let answer = exchange(self.port, &request)?;
        let body = answer.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200"));
        body.map(|(_, body)| body.to_owned()).ok_or_else(|| Failure::new(format!("the description is {answer}")))
    }

    /// A new session of an account.
    pub(crate) fn sign_in(&self, email: &str) -> Result<Session, Failure> {
        let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}","mode":"token"}}"#);
        let answer = self.post("/api/v1/login", &body)?;
        let text = |before: &str| {
            let found = answer.split_once(before).and_then(|(_, rest)| rest.split('"').next());
            found.map(str::to_owned).ok_or_else(|| Failure::new(format!("signing in answered {answer}")))
        };
        Ok(Session {
            id: text(r#""session":{"id":""#)?,
            access_token: text(r#""access_token":""#)?,
            refresh_token: text(r#""refresh_token":""#)?,
        })
    }

    /// The token in the mail that a call about `email` leads to.
    pub(crate) fn mailed_token(&self, path: &str, email: &str) -> Result<String, Failure> {
        let password = if path.ends_with("signup") { format!(r#","password":"{PASSWORD}""#) } else { String::new() };
        self.post(path, &format!(r#"{{"email":"{email}"{password}}}"#))?;
        let started = Instant::now();
        while started.elapsed() < START_PATIENCE {
            if let Some(token) = self.find_mailed_token(email)? {
                return Ok(token);
            }
            std::thread::sleep(POLL);
        }
        Err(Failure::new(format!("no mail to {email} came")))
    }

    fn find_mailed_token(&self, email: &str) -> Result<Option<String>, Failure> {
        let mails = self.folder.join("data/mail");
        if !mails.is_dir() {
            return Ok(None);
        }
        for mail in std::fs::read_dir(mails).context("listing the mails")? {
            let path = mail.context("listing the mails")?.path();
            // A mail gets its name when it is complete.
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let mail = std::fs::read_to_string(path).context("reading a mail")?;
            if !mail.lines().any(|line| line.starts_with("To:") && line.contains(email)) {
                continue;
            }
            let token = mail.split_once("token=").map(|(_, rest)| rest);
            let is_token = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            return Ok(token.map(|rest| rest.chars().take_while(|c| is_token(*c)).collect()));
        }
        Ok(None)
    }

    fn post(&self, path: &str, body: &str) -> Result<String, Failure> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        exchange(self.port, &request)
    }

    /// What it wrote so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self, operations_port: u16) -> Result<(), Failure> {
        let request = format!("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{operations_port}\r\nConnection: close\r\n\r\n");
        let started = Instant::now();
        while started.elapsed() < START_PATIENCE {
            if let Some(status) = self.process.try_wait().context("waiting for the server")? {
                return Err(Failure::new(format!("the server ended with {status}:\n{}", self.log())));
            }
            if exchange(operations_port, &request).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(Failure::new(format!("the server was not ready in time:\n{}", self.log())))
    }
}

impl Drop for DevelopmentServer {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        if let Err(error) = ended.and_then(|_| std::fs::remove_dir_all(&self.folder)) {
            eprintln!("xtask: ending the server: {error}");
        }
    }
}

/// Nothing of the developer's own environment reaches the server.
fn program(folder: &std::path::Path) -> Result<Command, Failure> {
    let mut command = Command::new(shell::build_folder()?.join("doorward"));
    command.current_dir(folder).env_clear().env("HOME", folder);
    Ok(command)
}

/// `cargo run`, which also hands the program the variables that its build script set. It becomes the program, so ending
/// the process ends the server.
fn first_command(folder: &std::path::Path) -> Result<Command, Failure> {
    let manifest = crate::repository::root()?.join("Cargo.toml");
    shell::run(shell::cargo().args(["build", "--quiet", "--manifest-path"]).arg(&manifest))?;
    let mut command = shell::cargo();
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOORWARD_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(["run", "--quiet", "--manifest-path"]).arg(manifest).arg("--");
    Ok(command)
}

fn create_user(folder: &std::path::Path, email: &str) -> Result<(), Failure> {
    let mut user = program(folder)?
        .args(["user", "create", "--data-dir", "data", "--email", email, "--verified", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("creating an account")?;
    if let Some(mut input) = user.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).context("creating an account")?;
    }
    let status = user.wait().context("creating an account")?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("creating an account ended with {status}"))) }
}

/// Sends one request and reads until the server closes.
fn exchange(port: u16, request: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("connecting to the server")?;
    stream.set_read_timeout(Some(START_PATIENCE)).context("connecting to the server")?;
    stream.write_all(request.as_bytes()).context("asking the server")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("hearing the server")?;
    Ok(answer)
}
