//! Readiness: named checks, each with a time limit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::shutdown::Shutdown;

/// How long one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>>;

/// One thing that must work for the process to take requests. The reason of a failure is a fixed text.
#[derive(Clone)]
pub struct ReadinessCheck {
    name: &'static str,
    run: Arc<dyn Fn() -> CheckFuture + Send + Sync>,
}

impl ReadinessCheck {
    /// A check by this name.
    pub fn new<F, Fut>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), &'static str>> + Send + 'static,
    {
        Self { name, run: Arc::new(move || Box::pin(run())) }
    }
}

/// All checks, and whether the process drains.
#[derive(Clone)]
pub struct Health {
    checks: Vec<ReadinessCheck>,
    shutdown: Shutdown,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Which check.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

impl Health {
    /// These checks.
    pub fn new(checks: Vec<ReadinessCheck>, shutdown: Shutdown) -> Self {
        Self { checks, shutdown }
    }

    /// Runs every check, one after the other; draining comes first.
    pub async fn outcomes(&self) -> Vec<Outcome> {
        let draining = self.shutdown.is_draining();
        let mut outcomes =
            vec![Outcome { name: "running", ok: !draining, reason: draining.then_some("the process is about to end") }];
        for check in &self.checks {
            let result = tokio::time::timeout(CHECK_TIMEOUT, (check.run)()).await.unwrap_or(Err("it takes too long"));
            outcomes.push(Outcome { name: check.name, ok: result.is_ok(), reason: result.err() });
        }
        outcomes
    }
}
