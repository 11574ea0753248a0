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
    use std::collections::HashSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use doorward_model::id::SessionId;
    use doorward_model::secret::{PlainToken, TokenKind};

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

    /// Proves: V7.2.3
    #[test]
    fn a_million_session_secrets_and_ids_are_unique_and_every_bit_of_the_256_is_chance() {
        const COUNT: u32 = 1_000_000;
        let now = SystemClock.now();
        let (mut hashes, mut ids) = (HashSet::with_capacity(1_000_000), HashSet::with_capacity(1_000_000));
        let mut ones = [0_u32; 256];
        for _ in 0..COUNT {
            let token = PlainToken::new(TokenKind::Session, &SystemRandom);
            // What the row holds, and what the holder does.
            hashes.insert(token.hash());
            let text = token.reveal();
            let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("dws_").unwrap()).unwrap();
            assert_eq!(bytes.len(), 32);
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += u32::from(bytes[bit / 8] >> (bit % 8) & 1);
            }
            ids.insert(SessionId::new(now, &SystemRandom));
        }
        assert_eq!((hashes.len(), ids.len()), (1_000_000, 1_000_000));
        // Ten standard deviations: a fair bit leaves them once in 10^23 times.
        assert!(ones.iter().all(|count| count.abs_diff(COUNT / 2) < 5_000), "{ones:?}");
    }
}
