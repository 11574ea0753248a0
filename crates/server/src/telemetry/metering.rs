//! Metrics for Prometheus: one recorder for the process, bucket choices, descriptions.

use std::sync::{Arc, OnceLock};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

use super::early::EarlyRecorder;

/// Requests and database work: a quarter of a millisecond to ten seconds.
const SECONDS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Knowing a caller again takes microseconds, asking the database milliseconds.
const LOOK_UP_SECONDS: &[f64] =
    &[0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];
/// Password hashes are slow on purpose.
const HASH_SECONDS: &[f64] = &[0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Closures in one commit.
const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Why there are no metrics.
#[derive(Debug, Error)]
pub enum MeteringError {
    /// The buckets are wrong: a defect.
    #[error("the metrics recorder cannot be built")]
    Build(#[from] BuildError),
    /// The thread that builds it cannot be started.
    #[error("the metrics recorder gets no thread")]
    Thread(#[from] std::io::Error),
    /// Something else in this process already takes the metrics.
    #[error("metrics are set up already")]
    Twice,
}

/// What renders the metrics, once the recorder is there.
#[derive(Clone)]
pub struct Meters(Arc<OnceLock<PrometheusHandle>>);

impl Meters {
    /// What renders; none in the first moments of the process.
    pub fn handle(&self) -> Option<&PrometheusHandle> {
        self.0.get()
    }
}

impl From<PrometheusHandle> for Meters {
    fn from(handle: PrometheusHandle) -> Self {
        Self(Arc::new(OnceLock::from(handle)))
    }
}

/// Starts recording for the whole process. Returns at once; the recorder is built on a thread of its own.
pub fn start() -> Result<Meters, MeteringError> {
    let early = EarlyRecorder::new();
    metrics::set_global_recorder(early.clone()).map_err(|_| MeteringError::Twice)?;
    let builder = builder()?;
    let meters = Meters(Arc::default());
    let slot = Arc::clone(&meters.0);
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        early.hand_over(recorder);
        describe();
        // This thread is the only one that fills the slot.
        let _ = slot.set(handle);
    })?;
    Ok(meters)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(Matcher::Prefix("token_validation".to_owned()), LOOK_UP_SECONDS)?
        .set_buckets_for_metric(Matcher::Prefix("password_hash".to_owned()), HASH_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("batch_size".to_owned()), BATCH)
}

/// Counters, with what they count.
const COUNTERS: [(&str, &str); 28] = [
    ("panics_total", "Parts of the process that panicked"),
    ("http_requests_total", "Requests answered, by route template, method and status"),
    ("http_problems_total", "Requests answered with a problem, by route template and code"),
    ("http_connections_total", "Connections accepted"),
    ("http_connections_refused_total", "Connections closed at once because there were too many"),
    ("http_accept_errors_total", "Times the system gave no connection"),
    ("tls_handshakes_failed_total", "TLS handshakes that failed"),
    ("tls_reloads_total", "Times a changed certificate was taken up, by outcome"),
    ("task_failures_total", "Runs of background tasks that failed, by task"),
    ("mails_sent_total", "Mails handed over, by transport and outcome"),
    ("mail_dropped_total", "Mails not written because a budget was spent"),
    ("deliveries_total", "Attempts to deliver, by outcome"),
    ("events_total", "Events appended, by action and outcome"),
    ("users_created_total", "Accounts made"),
    ("sign_ins_total", "Attempts to sign in, by method and outcome"),
    ("sign_in_throttled_total", "Attempts to sign in that were too fast, by lane"),
    ("token_renewals_total", "Refresh tokens exchanged for their successor"),
    ("token_reuse_total", "Refresh tokens shown that two parties must hold"),
    ("revocation_pages_signed_total", "Pages of the feed of revocations that were signed"),
    ("password_hash_refused_total", "Passwords not hashed because there were too many, by reason"),
    ("password_hash_abandoned_total", "Passwords not hashed because nobody waited any more"),
    ("breached_password_checks_total", "New passwords looked up at the service, by outcome"),
    ("client_key_sets_total", "Keys of applications read at their addresses, by outcome"),
    ("password_hash_panics_total", "Password hashes that panicked"),
    ("rows_purged_total", "Expired rows removed"),
    ("store_refused_total", "Database work refused, by queue and reason"),
    ("store_retries_total", "Database work done again, by reason"),
    ("store_panics_total", "Database work that panicked"),
];
/// Counters without labels: they are there from the start, so that their first step is seen as one.
const FROM_ZERO: [&str; 10] = [
    "panics_total",
    "http_accept_errors_total",
    "users_created_total",
    "token_renewals_total",
    "token_reuse_total",
    "revocation_pages_signed_total",
    "password_hash_abandoned_total",
    "password_hash_panics_total",
    "rows_purged_total",
    "store_panics_total",
];
/// Gauges, with what they show.
const GAUGES: [(&str, &str); 13] = [
    ("http_connections", "Connections open now"),
    ("store_pool_in_use", "Database connections at work"),
    ("store_waiting", "Database work that waits"),
    ("password_hash_queue_length", "Passwords that wait to be hashed"),
    ("password_hash_buffers", "Buffers kept for hashing"),
    ("deliveries_waiting", "Deliveries not done yet"),
    ("deliveries_dead", "Deliveries given up"),
    ("revocation_feed_entries", "Entries that the feed of revocations tells"),
    ("revocation_feed_waiters", "Requests that wait for news in the feed of revocations"),
    ("revocation_feed_lag_seconds", "Time since this node looked at what was revoked"),
    ("process_resident_memory_bytes", "Memory in use, in bytes"),
    ("process_open_fds", "Open files and sockets"),
    ("process_max_fds", "Most open files and sockets"),
];
/// Histograms, with what they measure.
const HISTOGRAMS: [(&str, Unit, &str); 6] = [
    ("http_request_seconds", Unit::Seconds, "Time to the answer, by route template"),
    ("token_validation_seconds", Unit::Seconds, "Time to know whose credential it is, by credential and outcome"),
    ("password_hash_seconds", Unit::Seconds, "Time of one password hash"),
    ("password_hash_queue_seconds", Unit::Seconds, "Time a password waits to be hashed"),
    ("store_wait_seconds", Unit::Seconds, "Time that database work waits, by queue"),
    ("store_write_batch_size", Unit::Count, "Changes made durable by one commit"),
];

fn describe() {
    for (name, says) in COUNTERS {
        describe_counter!(name, says);
    }
    for (name, says) in GAUGES {
        describe_gauge!(name, says);
    }
    for (name, unit, says) in HISTOGRAMS {
        describe_histogram!(name, unit, says);
    }
    for name in FROM_ZERO {
        metrics::counter!(name).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn histograms_have_the_buckets_of_their_kind() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("http_request_seconds").record(0.003);
            metrics::histogram!("password_hash_seconds").record(0.03);
            metrics::histogram!("store_write_batch_size").record(64.0);
        });
        let text = handle.render();
        for line in [
            "http_request_seconds_bucket{le=\"0.005\"} 1",
            "password_hash_seconds_bucket{le=\"0.075\"} 1",
            "store_write_batch_size_bucket{le=\"32\"} 0",
            "store_write_batch_size_bucket{le=\"64\"} 1",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    fn source_files(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                source_files(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }

    /// Every metric that the sources name in a macro.
    fn named_in_sources() -> BTreeSet<String> {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        for room in ["app", "server", "store", "web"] {
            source_files(&crates.join(room).join("src"), &mut files);
        }
        let mut names = BTreeSet::new();
        // These two say names that are no metrics, in their tests.
        files.retain(|file| !file.ends_with("telemetry/early.rs") && !file.ends_with("telemetry/metering.rs"));
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            for kind in ["counter!(", "gauge!(", "histogram!("] {
                let used = text.split(kind).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                names.extend(used.map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
        names
    }

    #[test]
    fn every_metric_is_described_here_and_in_the_manual_and_nothing_else_is() {
        let counters = COUNTERS.map(|(name, _)| name);
        let measured = ["process_resident_memory_bytes", "process_open_fds", "process_max_fds"];
        let described: BTreeSet<String> = counters
            .into_iter()
            .chain(GAUGES.map(|(name, _)| name))
            .chain(HISTOGRAMS.map(|(name, _, _)| name))
            .map(str::to_owned)
            .collect();
        let mut named = named_in_sources();
        named.extend(measured.map(str::to_owned));
        assert_eq!(described, named);
        assert!(FROM_ZERO.iter().all(|name| counters.contains(name)));
        let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
        let manual = std::fs::read_to_string(manual).unwrap();
        for name in named {
            assert!(manual.contains(&format!("`{name}`")), "{name} is not in the manual");
        }
    }
}
