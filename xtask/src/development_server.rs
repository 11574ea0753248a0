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
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "violet umbrella 7 crossing";

/// A running server; dropping it ends the process and removes its folder.
pub(crate) struct DevelopmentServer {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl DevelopmentServer {
    /// Starts the server that was built beside this tool, with an account, and waits until it is ready.
    pub(crate) fn start() -> Result<Self, Failure> {
        let folder = postgres::create_folder("schemathesis")?;
        let (port, operations_port) = (postgres::free_port()?, postgres::free_port()?);
        let log = std::fs::File::create(folder.join("server.log")).context("creating the server's log")?;
        create_user(&folder)?;
        let process = program(&folder)?
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

    /// A new access token of the account.
    pub(crate) fn sign_in(&self) -> Result<String, Failure> {
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","mode":"token"}}"#);
        let request = format!(
            "POST /api/v1/login HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let answer = exchange(self.port, &request)?;
        let token = answer.split_once(r#""access_token":""#).and_then(|(_, rest)| rest.split('"').next());
        token.map(str::to_owned).ok_or_else(|| Failure::new(format!("signing in answered {answer}")))
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

fn create_user(folder: &std::path::Path) -> Result<(), Failure> {
    let mut user = program(folder)?
        .args(["user", "create", "--data-dir", "data", "--email", EMAIL, "--verified", "--password-stdin"])
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
