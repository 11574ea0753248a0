//! Facts about this process that Linux keeps in `/proc/self`.

/// Sets the gauges about memory, open files and time spent; called when metrics are read.
pub fn measure() {
    if let Some(bytes) = resident_bytes() {
        set("process_resident_memory_bytes", bytes);
    }
    if let Some(open) = open_files() {
        set("process_open_fds", open);
    }
    if let Some((soft, _)) = file_limits() {
        set("process_max_fds", soft);
    }
}

fn set(name: &'static str, value: u64) {
    // Prometheus values are floating point; a process stays far below 2^53 of anything.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    metrics::gauge!(name).set(value as f64);
}

/// Memory that is really in use.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn open_files() -> Option<u64> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64)
}

/// How many files may be open: now, and at most.
fn file_limits() -> Option<(u64, u64)> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    Some((limit.current?, limit.maximum.unwrap_or(u64::MAX)))
}

/// Raises the soft limit of open files to the hard one (a historical default of 1024 is too low for a server) and
/// returns what holds now; none means there is no limit.
pub fn raise_file_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
    {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_has_memory_and_files() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(open_files().is_some_and(|open| open > 2));
    }
}
