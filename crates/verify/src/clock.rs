//! Where the time comes from.

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time, for all that expires: milliseconds since 1970. Tests bring their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Now.
    fn now_ms(&self) -> i64;

    /// Now in whole seconds, as tokens say it (RFC 7519 section 2, `NumericDate`).
    fn now_seconds(&self) -> i64 {
        self.now_ms().div_euclid(1_000)
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place of this library that reads the clock")]
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }
}
