//! The only sources of time and randomness in the product.

use std::time::{SystemTime, UNIX_EPOCH};

use doorward_model::random::Random;
use doorward_model::time::{Clock, Timestamp};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let now = SystemTime::now();
        let ms = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_ms(ms)
    }
}

/// The operating system's generator. The cryptographic library's own would first gather entropy of its own for 10 ms, a
/// quarter of the time to start, and costs as much afterwards.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place that draws random bytes")]
        let filled = getrandom::fill(bytes);
        if filled.is_err() {
            tracing::error!("the system gives no random bytes; going on would mean predictable secrets");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_after_this_was_written() {
        assert!(SystemClock.now() > Timestamp::from_ms(1_760_000_000_000));
    }

    #[test]
    fn random_bytes_differ() {
        let draw = || doorward_model::random::bytes::<32>(&SystemRandom);
        assert_ne!(draw(), draw());
    }
}
