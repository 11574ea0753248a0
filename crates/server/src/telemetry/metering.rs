//! Metrics for Prometheus: one recorder for the process, bucket choices, descriptions.

use std::sync::{Arc, OnceLock};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

use super::early::EarlyRecorder;

/// Requests and database work: a quarter of a millisecond to ten seconds.
const SECONDS: &[f64] =
    &[0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
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
        .set_buckets_for_metric(Matcher::Prefix("password_hash".to_owned()), HASH_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("batch_size".to_owned()), BATCH)
}

fn describe() {
    describe_counter!("panics_total", "Parts of the process that panicked");
    describe_counter!("http_connections_total", "Connections accepted");
    describe_counter!("http_connections_refused_total", "Connections closed at once because there were too many");
    describe_counter!("http_accept_errors_total", "Times the system gave no connection");
    describe_counter!("tls_handshakes_failed_total", "TLS handshakes that failed");
    describe_counter!("tls_reloads_total", "Times a changed certificate was taken up, by outcome");
    describe_counter!("task_failures_total", "Runs of background tasks that failed, by task");
    describe_counter!("mails_sent_total", "Mails handed over, by transport and outcome");
    describe_counter!("events_total", "Events appended, by action and outcome");
    describe_counter!("breached_password_checks_total", "New passwords looked up at the service, by outcome");
    describe_counter!("users_created_total", "Accounts made");
    describe_gauge!("http_connections", "Connections open now");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Memory in use");
    describe_gauge!("process_open_fds", "Open files and sockets");
    describe_gauge!("process_max_fds", "Most open files and sockets");
    describe_histogram!("http_request_seconds", Unit::Seconds, "Time to the answer, by route and status");
    describe_histogram!("password_hash_seconds", Unit::Seconds, "Time of one password hash");
    describe_histogram!("store_write_batch_size", "Changes made durable by one commit");
}

#[cfg(test)]
mod tests {
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
}
