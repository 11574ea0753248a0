//! Puts the parts together: what is served, what must work for it, what runs in the background.

use axum::Router;

use crate::commands::failure::Failure;
use crate::runtime::Runtime;
use crate::tasks::Supervisor;
use crate::telemetry::health::ReadinessCheck;

/// What the listeners need.
pub struct Wired {
    /// What the public listener serves.
    pub router: Router,
    /// What must work for it.
    pub readiness: Vec<ReadinessCheck>,
}

/// Builds the router and starts the background tasks.
pub fn wire(runtime: &Runtime, _supervisor: &Supervisor) -> Result<Wired, Failure> {
    Ok(Wired { router: Router::new(), readiness: vec![runtime.readiness()] })
}
