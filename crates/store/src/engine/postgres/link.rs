//! What the workers know together about reaching the server: when the next attempt is due.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::moment;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Back-off after failed connections, shared so that a dozen workers do not hammer a server that is starting.
#[derive(Default)]
pub(super) struct Link {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connected: usize,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Link {
    /// When connecting may be tried again; `None` means now.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.lock().retry_at.filter(|at| *at > moment::now())
    }

    /// Whether another worker can do the work meanwhile.
    pub(super) fn is_connected(&self) -> bool {
        self.lock().connected > 0
    }

    pub(super) fn connected(&self) {
        let mut state = self.lock();
        if state.failures > 0 {
            tracing::info!("database reachable again");
        }
        *state = State { connected: state.connected + 1, failures: 0, retry_at: None };
    }

    pub(super) fn lost(&self) {
        let mut state = self.lock();
        state.connected = state.connected.saturating_sub(1);
    }

    /// Records a failed attempt; `jitter` (0–255) spreads the nodes of a deployment.
    pub(super) fn failed(&self, jitter: u8) {
        let mut state = self.lock();
        let pause = FIRST_PAUSE.saturating_mul(1 << state.failures.min(8)).min(LONGEST_PAUSE);
        state.failures = state.failures.saturating_add(1);
        state.retry_at = Some(moment::now() + pause / 2 + pause * u32::from(jitter) / 512);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
