//! Background tasks, supervised: a failure is logged once, counted, and tried again later; all end at shutdown.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use crate::shutdown::Shutdown;

/// The first pause after a failure; each further failure in a row doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long a run under way may take to finish at shutdown.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a run failed, in any error's words. The words reach the log, so they hold no secret.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct TaskError(String);

impl TaskError {
    /// From an error, with its causes.
    pub fn new(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text)
    }
}

/// Runs background tasks.
#[derive(Debug)]
pub struct Supervisor {
    shutdown: Shutdown,
    tasks: Mutex<JoinSet<()>>,
}

impl Supervisor {
    /// No task yet.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, tasks: Mutex::default() }
    }

    /// Runs `work` now and then again `interval` after each run ended, until shutdown. A run that fails or panics is
    /// tried again after a pause that grows from one second to a minute, or after `interval` if that is longer.
    pub fn spawn<F, Fut>(&self, name: &'static str, interval: Duration, work: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        self.spawn_woken(name, interval, std::future::pending, work);
    }

    /// The same, and sooner than after `interval` when what `wakes` gives is there. A run that failed is not woken.
    pub fn spawn_woken<W, WFut, F, Fut>(&self, name: &'static str, interval: Duration, wakes: W, work: F)
    where
        W: Fn() -> WFut + Send + 'static,
        WFut: Future<Output = ()> + Send + 'static,
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            let mut failures = 0u32;
            while !shutdown.is_draining() {
                // A task of its own, so that a panic ends this run and not the supervision.
                let mut run = tokio::spawn(work());
                let ended = tokio::select! {
                    ended = &mut run => ended,
                    () = shutdown.draining() => {
                        finish(name, run, &shutdown).await;
                        return;
                    }
                };
                failures = if report(name, ended) { 0 } else { failures.saturating_add(1) };
                let pause = if failures == 0 { interval } else { pause_after(failures).max(interval) };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = wakes(), if failures == 0 => {}
                    () = shutdown.draining() => return,
                }
            }
        });
    }

    /// Waits until every task has ended; call it after draining began.
    pub async fn stop(self) {
        let mut tasks = self.tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        while tasks.join_next().await.is_some() {}
    }
}

fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST_PAUSE)
}

async fn finish(name: &'static str, mut run: JoinHandle<Result<(), TaskError>>, shutdown: &Shutdown) {
    tokio::select! {
        ended = &mut run => {
            report(name, ended);
            return;
        }
        () = tokio::time::sleep(STOP_TIMEOUT) => {}
        () = shutdown.ended() => {}
    }
    run.abort();
    tracing::warn!(task = name, "a background task did not finish in time and was cut off");
}

/// Logs and counts a failure; true means the run went well. The panic hook has said where a panic happened.
fn report(name: &'static str, ended: Result<Result<(), TaskError>, JoinError>) -> bool {
    match ended {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::error!(task = name, %error, "a background task failed"),
        Err(error) if error.is_panic() => tracing::error!(task = name, "a background task panicked"),
        Err(_) => tracing::error!(task = name, "a background task was cut off"),
    }
    metrics::counter!("task_failures_total", "task" => name).increment(1);
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;
    use crate::shutdown::ShutdownSource;

    /// Proves: S-72, S-78, S-114, S-131
    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_or_fails_is_run_again_with_growing_pauses() {
        let (source, shutdown) = ShutdownSource::new();
        let supervisor = Supervisor::new(shutdown);
        let (sender, mut runs) = mpsc::unbounded_channel();
        let count = Arc::new(AtomicU32::new(0));
        let started = Instant::now();
        supervisor.spawn("flaky", Duration::from_millis(10), move || {
            let run = count.fetch_add(1, Ordering::SeqCst);
            let sender = sender.clone();
            async move {
                sender.send((run, started.elapsed().as_millis())).unwrap();
                match run {
                    0 => panic!("the first run panics"),
                    1 => Err(TaskError("the second run fails".to_owned())),
                    _ => Ok(()),
                }
            }
        });
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(runs.recv().await.unwrap());
        }
        let gaps: Vec<u128> = seen.windows(2).map(|pair| (pair[1].1 - pair[0].1) / 10 * 10).collect();
        assert_eq!(gaps, [1_000, 2_000, 10], "{seen:?}");
        source.drain();
        supervisor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_lets_a_run_finish_but_not_for_ever() {
        let (source, shutdown) = ShutdownSource::new();
        let supervisor = Supervisor::new(shutdown);
        let finished = Arc::new(AtomicU32::new(0));
        let (begun, mut running) = mpsc::unbounded_channel();
        for seconds in [2, 3_600] {
            let (finished, begun) = (Arc::clone(&finished), begun.clone());
            supervisor.spawn("slow", Duration::from_secs(1), move || {
                let (finished, begun) = (Arc::clone(&finished), begun.clone());
                async move {
                    begun.send(()).unwrap();
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }
            });
        }
        running.recv().await.unwrap();
        running.recv().await.unwrap();
        let before = Instant::now();
        source.drain();
        supervisor.stop().await;
        assert_eq!(finished.load(Ordering::SeqCst), 1);
        assert!(before.elapsed() < STOP_TIMEOUT + Duration::from_secs(1));
    }

    #[test]
    fn pauses_stop_growing_at_a_minute() {
        assert_eq!(pause_after(1), Duration::from_secs(1));
        assert_eq!(pause_after(4), Duration::from_secs(8));
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
