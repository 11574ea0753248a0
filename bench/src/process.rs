//! Child processes on chosen cores.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Where a process may run.
#[derive(Clone, Copy)]
pub(crate) enum Cores {
    /// The first one alone.
    First,
    /// All of them.
    All,
}

/// A server that ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `program` and waits until `path` is answered with 200.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        address: SocketAddr,
        cores: Cores,
        path: &str,
        log: Stdio,
    ) -> Outcome<Self> {
        Self::start_until(program, arguments, (address, cores), (path, *b"200"), log)
    }

    /// The same for a server that refuses whoever has no token.
    pub(crate) fn start_refusing(
        program: &Path,
        arguments: &[String],
        address: SocketAddr,
        cores: Cores,
        path: &str,
        log: Stdio,
    ) -> Outcome<Self> {
        Self::start_until(program, arguments, (address, cores), (path, *b"401"), log)
    }

    fn start_until(
        program: &Path,
        arguments: &[String],
        (address, cores): (SocketAddr, Cores),
        (path, status): (&str, [u8; 3]),
        log: Stdio,
    ) -> Outcome<Self> {
        let started = Instant::now();
        let child = command(program, cores).args(arguments).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        while !answers(address, path, status) {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{} ended at once: {status}", program.display()).into());
            }
            if started.elapsed() > Duration::from_secs(30) {
                return Err(format!("{} does not answer", program.display()).into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        server.started_in = started.elapsed();
        Ok(server)
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }

    /// Memory in use, in MiB.
    pub(crate) fn resident_mib(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Every thread that lives now.
    pub(crate) fn threads(&self) -> Outcome<Vec<Thread>> {
        let id = self.child.id();
        let mut threads = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/{id}/task"))? {
            let folder = entry?.path();
            let name = std::fs::read_to_string(folder.join("comm"))?.trim().to_owned();
            let is_first = folder.ends_with(id.to_string());
            threads.push(Thread { name, is_first, cpu_us: read_cpu_us(&folder)? });
        }
        Ok(threads)
    }

    /// What it has read so far.
    pub(crate) fn reads(&self) -> Outcome<Reads> {
        let said = std::fs::read_to_string(format!("/proc/{}/io", self.child.id()))?;
        let kib = |name: &str| -> Outcome<f64> {
            let bytes = said.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such count of reads")?;
            Ok(bytes.parse::<f64>()? / 1024.0)
        };
        Ok(Reads { asked_kib: kib("rchar: ")?, disk_kib: kib("read_bytes: ")? })
    }

    /// Processor time used so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, rest) = stat.rsplit_once(") ").ok_or("no stat")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / 100.0)
    }
}

/// What a process has read from files: asked of the system, and fetched by it from the disk.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reads {
    pub(crate) asked_kib: f64,
    pub(crate) disk_kib: f64,
}

impl Reads {
    /// What came since `earlier`, for each of so many.
    pub(crate) fn each_since(self, earlier: Self, count: f64) -> Self {
        Self {
            asked_kib: (self.asked_kib - earlier.asked_kib) / count,
            disk_kib: (self.disk_kib - earlier.disk_kib) / count,
        }
    }
}

/// A thread and the processor time it has used.
pub(crate) struct Thread {
    pub(crate) name: String,
    /// The thread that the process began with.
    pub(crate) is_first: bool,
    pub(crate) cpu_us: f64,
}

/// Processor time this process has used in its only busy thread, in microseconds.
pub(crate) fn own_cpu_us() -> Outcome<f64> {
    read_cpu_us(Path::new("/proc/thread-self"))
}

/// From the scheduler's own count in nanoseconds; `stat` counts in hundredths of a second.
fn read_cpu_us(folder: &Path) -> Outcome<f64> {
    let said = std::fs::read_to_string(folder.join("schedstat"))?;
    let nanoseconds: f64 = said.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1000.0)
}

/// `program` on these cores.
pub(crate) fn command(program: &Path, cores: Cores) -> Command {
    match cores {
        Cores::All => Command::new(program),
        Cores::First => {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        }
    }
}

/// Keeps this process on the second core, where there is one.
pub(crate) fn leave_first_core() -> Outcome<()> {
    let done = Command::new("taskset")
        .args(["-a", "-c", "-p", "1", &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()?;
    if done.success() { Ok(()) } else { Err("the generator needs a second core and taskset".into()) }
}

/// A port that is free now.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn answers(address: SocketAddr, path: &str, expected: [u8; 3]) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&crate::client::get(path, "connection: close\r\n"))?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status[9..] == expected)
    };
    ask().unwrap_or(false)
}
