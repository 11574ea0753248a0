//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use doorward_model::time::{Clock, Timestamp};

/// Milliseconds since the epoch at which every test begins.
const BEGINNING_MS: i64 = 1_800_000_000_000;

/// A clock that tests move.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(BEGINNING_MS))
    }
}

impl ManualClock {
    /// Moves the clock by `ms` milliseconds.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}
