//! The binary as an operator meets it: a real process, its files, its signals, its exit codes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

mod apply;
mod clients;
mod operations;
mod operator;
mod postgres;
mod reload;
mod revocation_feed;
mod surroundings;
mod under_load;
mod unsafe_settings;

/// Longest wait for anything; only a failing test waits this long.
const SOON: Duration = Duration::from_mins(1);

fn doorward(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    doorward(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a server logs, line by line.
type Log = Box<dyn Iterator<Item = std::io::Result<String>> + Send>;

struct Server {
    process: Child,
    lines: Log,
    public: String,
    /// The same on this machine's IPv6 address.
    public_v6: String,
    operations: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        Self::spawn(doorward(folder))
    }

    /// Makes `command` serve on free ports.
    fn spawn(mut command: Command) -> Self {
        let mut process = command
            .args(["serve", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--ops-listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines: Log = Box::new(BufReader::new(process.stderr.take().unwrap()).lines());
        let serving = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| {
                let entry: Value = serde_json::from_str(&line).expect("every log line is JSON");
                (entry["message"] == "serving").then_some(entry)
            })
            .expect("the server says that it serves");
        let field = |name: &str| serving[name].as_str().unwrap().to_owned();
        let (listen, operations) = (field("listen"), field("ops_listen"));
        let (public, public_v6) = listen.split_once(' ').expect("both families");
        let (public, public_v6) = (public.to_owned(), public_v6.to_owned());
        Self { process, lines, public, public_v6, operations }
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for a log line with this message; gives those of the lines before it.
    fn wait_for(&mut self, message: &str) -> Vec<String> {
        let mut before = Vec::new();
        let is_said = self.lines.by_ref().any(|line| {
            let entry: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
            let said = entry["message"].as_str().unwrap_or_default();
            before.push(said.to_owned());
            said == message
        });
        assert!(is_said, "the server ended before it said {message:?}: {before:?}");
        before.pop();
        before
    }

    fn exit_code(mut self) -> Option<i32> {
        for line in self.lines.by_ref() {
            line.unwrap();
        }
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    /// A failed test leaves no process behind; one that has ended cannot be killed any more.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
}

/// Sends a whole request and reads the whole answer.
fn exchange(address: &str, request: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Proves: S-74, S-102, V13.4.5
#[test]
fn an_empty_folder_becomes_a_ready_server_that_ends_in_good_order_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("doorward-data");
    let server = Server::start(folder.path());
    assert!(get(&server.operations, "/livez").starts_with("HTTP/1.1 200"));
    assert!(get(&server.operations, "/readyz").contains(r#""status":"ready""#));
    for path in ["/metrics", "/livez", "/readyz", "/.git/HEAD", "/.env"] {
        assert!(get(&server.public, path).starts_with("HTTP/1.1 404"), "{path}");
    }
    for address in [&server.public, &server.public_v6] {
        assert!(get(address, "/login").starts_with("HTTP/1.1 200"), "{address}");
    }
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    let key = std::fs::read(data.join("master.key")).unwrap();

    let second = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another doorward serves"), "{}", text(&second.stderr));

    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));

    let again = Server::start(folder.path());
    assert!(get(&again.operations, "/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(std::fs::read(data.join("master.key")).unwrap(), key);
    again.signal("-INT");
    assert_eq!(again.exit_code(), Some(0));

    std::fs::remove_file(data.join("master.key")).unwrap();
    let without_key = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    assert_eq!(without_key.status.code(), Some(1));
    assert!(text(&without_key.stderr).contains("master_key_missing"), "{}", text(&without_key.stderr));
    assert!(!data.join("master.key").exists());
}

/// Proves: A-171, S-7, S-16
#[test]
fn serve_refuses_what_check_refuses_and_neither_shows_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let unsafe_settings = "public_url = \"http://hunter2.example.com\"\ntrusted_proxies = [\"0.0.0.0/0\"]\n\
                           [cors]\ntoken_origins = [\"*\"]\n[password]\nmin_length = 7\n";
    std::fs::write(folder.path().join("doorward.toml"), unsafe_settings).unwrap();
    let check = run(folder.path(), &["check", "--json"]);
    assert_eq!(check.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&check.stdout).unwrap();
    let errors: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["level"] == "error")
        .map(|finding| finding["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        errors,
        ["public_url_insecure", "trusted_proxy_everyone", "cors_wildcard", "password_min_length_unsafe"]
    );
    let serve = run(folder.path(), &["serve"]);
    assert_eq!(serve.status.code(), Some(1));
    for name in errors {
        assert!(text(&serve.stderr).contains(name), "{name}: {}", text(&serve.stderr));
    }
    for output in [check, serve] {
        assert!(!(text(&output.stdout) + &text(&output.stderr)).contains("hunter2"));
    }
    assert!(!folder.path().join("doorward-data").exists(), "nothing was touched");
}

#[test]
fn init_writes_what_check_accepts_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["init", "--public-url", "https://auth.example.com", "--data-dir", "data", "--master-key-file", "key"];
    let init = run(folder.path(), &arguments);
    assert_eq!(init.status.code(), Some(0), "{}", text(&init.stderr));
    assert_eq!((mode(&folder.path().join("doorward.toml")), mode(&folder.path().join("key"))), (0o600, 0o600));
    assert_eq!(mode(&folder.path().join("data")), 0o700);
    let check = run(folder.path(), &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    let before = std::fs::read(folder.path().join("doorward.toml")).unwrap();
    assert_eq!(run(folder.path(), &arguments).status.code(), Some(1));
    assert_eq!(std::fs::read(folder.path().join("doorward.toml")).unwrap(), before);
    assert_eq!(run(folder.path(), &["init", "--public-url", "nonsense", "--config", "x.toml"]).status.code(), Some(1));
    assert!(!folder.path().join("x.toml").exists());
}

#[test]
fn init_makes_the_folders_that_are_missing_private() {
    let folder = tempfile::tempdir().unwrap();
    let init = ["init", "--public-url", "https://auth.example.com", "--data-dir", "var/data"];
    let files = ["--config", "etc/doorward/doorward.toml", "--master-key-file", "secrets/master.key"];
    let output = run(folder.path(), &[&init[..], &files[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for path in ["var/data", "etc/doorward", "secrets"] {
        assert_eq!(mode(&folder.path().join(path)), 0o700, "{path}");
    }
    let check = run(folder.path(), &["check", "--config", "etc/doorward/doorward.toml"]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
}

#[test]
fn exit_codes_tell_done_failed_and_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["serve", "--help"][..], 0),
        (&["completions", "zsh"][..], 0),
        (&["migrate", "--json"][..], 0),
        (&["migrate", "--status"][..], 0),
        (&["check", "--config", "nothing.toml"][..], 1),
        (&["serve", "--frobnicate"][..], 2),
        (&[][..], 2),
    ] {
        assert_eq!(run(folder.path(), arguments).status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_schema_that_is_behind_is_refused_when_it_must_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let serve =
        run(folder.path(), &["serve", "--no-migrate", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    assert_eq!(serve.status.code(), Some(1));
    assert!(text(&serve.stderr).contains("run doorward migrate"), "{}", text(&serve.stderr));
}
