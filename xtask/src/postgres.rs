//! A throwaway PostgreSQL cluster that cannot outlive the tests.
//!
//! A second process of this tool, the guard, starts the cluster and waits for the end of its standard input. That
//! comes when the tests are over, and also when the tests' process is interrupted or killed; then the guard stops the
//! cluster and removes its folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::{Context, Failure};
use crate::shell;

/// The hidden command that runs the guard.
pub(crate) const GUARD_COMMAND: &str = "guard-postgres";
/// Where Debian keeps the server programs of each version.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";
/// Another process may take the free port between our look and the server's start.
const START_ATTEMPTS: usize = 3;
/// Real durability, so that tests can read it back; enough connections for parallel tests.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on \
    -c synchronous_commit=on -c max_connections=300 -c shared_buffers=128MB -c log_min_messages=warning";

/// A running cluster; dropping it stops the server and removes the data.
pub(crate) struct Cluster {
    guard: Child,
    url: String,
}

impl Cluster {
    /// Starts a cluster of its own in the temporary folder.
    pub(crate) fn start() -> Result<Self, Failure> {
        let own = std::env::current_exe().context("finding the tool's own path")?;
        let mut guard = Command::new(own)
            .arg(GUARD_COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("starting the guard of the PostgreSQL cluster")?;
        let output = guard.stdout.take().ok_or_else(|| Failure::new("the guard has no output"))?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url).context("waiting for the PostgreSQL cluster")?;
        let cluster = Self { guard, url: url.trim().to_owned() };
        if cluster.url.is_empty() {
            return Err(Failure::new("the PostgreSQL cluster did not start; the reason stands above"));
        }
        Ok(cluster)
    }

    /// The connection URL of the maintenance database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("xtask: waiting for the guard of the PostgreSQL cluster: {error}");
        }
    }
}

/// The guard itself: start, print the URL, wait for the end of standard input, stop, remove.
pub(crate) fn guard(arguments: &[String]) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::usage(format!("{GUARD_COMMAND} takes no arguments")));
    }
    let programs = find_programs().ok_or_else(|| Failure::new("no PostgreSQL server programs found"))?;
    let server = Server { programs, user: server_user()?, folder: create_folder("postgres")? };
    let outcome = server.serve_until_end_of_input();
    let removed = std::fs::remove_dir_all(&server.folder).context("removing the cluster's folder");
    outcome.and(removed)
}

/// The folder with `initdb`: Debian's newest version, else the one that `PATH` names.
pub(crate) fn find_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN_FOLDER).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max_by_key(|(version, _)| *version);
    if let Some((_, folder)) = newest {
        return Some(folder);
    }
    let initdb = std::fs::canonicalize(shell::find_program("initdb")?).ok()?;
    initdb.parent().map(Path::to_path_buf)
}

/// An account of the machine.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    user: u32,
    group: u32,
}

struct Server {
    programs: PathBuf,
    /// Set when we are root, whom PostgreSQL refuses to serve.
    user: Option<Account>,
    folder: PathBuf,
}

impl Server {
    fn serve_until_end_of_input(&self) -> Result<(), Failure> {
        if let Some(account) = &self.user {
            chown(&self.folder, Some(account.user), Some(account.group)).context("handing the folder over")?;
        }
        let data = self.folder.join("data");
        shell::output(self.program("initdb").arg("--pgdata").arg(&data).args([
            "--username=doorward",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]))?;
        let port = self.start(&data)?;
        let announced = announce(port);
        let ended = std::io::stdin().read_to_end(&mut Vec::new()).context("waiting for the end of the tests");
        let stopped = shell::output(self.control(&data).args(["-m", "immediate", "stop"]));
        announced.and(ended.map(drop)).and(stopped.map(drop))
    }

    fn start(&self, data: &Path) -> Result<u16, Failure> {
        let log = self.folder.join("server.log");
        let mut outcome = Err(Failure::new("never tried"));
        for _ in 0..START_ATTEMPTS {
            let port = free_port()?;
            let mut start = self.control(data);
            start.arg("--log").arg(&log).arg("--options").arg(format!("{SETTINGS} -c port={port}")).arg("start");
            outcome = match shell::output(&mut start) {
                Ok(_) => return Ok(port),
                Err(failure) => {
                    let said = std::fs::read_to_string(&log).unwrap_or_default();
                    Err(Failure::new(format!("{failure}\n{}", said.trim())))
                }
            };
        }
        outcome
    }

    fn control(&self, data: &Path) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("--pgdata").arg(data).args(["--wait", "--silent"]);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(&self.folder).env("LC_ALL", "C.UTF-8");
        if let Some(account) = &self.user {
            command.gid(account.group).uid(account.user);
        }
        command
    }
}

fn announce(port: u16) -> Result<(), Failure> {
    let mut output = std::io::stdout();
    writeln!(output, "postgres://doorward@127.0.0.1:{port}/postgres").context("announcing the cluster")?;
    output.flush().context("announcing the cluster")
}

/// A folder of our own under the temporary folder; only its owner may enter.
pub(crate) fn create_folder(purpose: &str) -> Result<PathBuf, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?;
    let name = format!("doorward-{purpose}-{}-{}", std::process::id(), now.as_nanos());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).context("creating a folder")?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).context("closing the folder")?;
    Ok(folder)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.port())
}

/// Whom the server runs as: ourselves, or an ordinary account when we are root.
fn server_user() -> Result<Option<Account>, Failure> {
    if !shell::is_root() {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let found = ["postgres", "nobody"].iter().find_map(|name| find_account(&accounts, name));
    found.map(Some).ok_or_else(|| Failure::new("PostgreSQL does not run as root, and no user `postgres` or `nobody`"))
}

fn find_account(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(Account { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:\npostgres:x:101:104:,,,:/var:/bin/sh\n";
        assert_eq!(find_account(accounts, "postgres"), Some(Account { user: 101, group: 104 }));
        assert_eq!(find_account(accounts, "nobody"), None);
    }
}
