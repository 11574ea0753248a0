//! Where random bytes come from. Production uses the operating system through one implementation in the
//! binary; tests use a seeded one.

/// A source of cryptographically secure random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` completely. A source that cannot do so must end the process: continuing with
    /// predictable secrets is worse than stopping.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` fresh random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A uniformly distributed number below `bound` (which must not be zero), without modulo bias.
pub fn below(random: &dyn Random, bound: u32) -> u32 {
    let bound = bound.max(1);
    // Values in the incomplete last run of `bound` would make small results more likely.
    let limit = u32::MAX - (u32::MAX % bound + 1) % bound;
    loop {
        let value = u32::from_le_bytes(bytes(random));
        if value <= limit {
            return value % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Scripted(Mutex<Vec<u32>>);

    impl Random for Scripted {
        fn fill(&self, bytes: &mut [u8]) {
            let value = self.0.lock().map(|mut values| values.remove(0)).unwrap_or_default();
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Proves: V6.5.3
    #[test]
    fn values_that_would_bias_the_result_are_drawn_again() {
        let random = Scripted(Mutex::new(vec![u32::MAX, 7]));
        assert_eq!(below(&random, 1_000_000), 7);
    }

    #[test]
    fn a_power_of_two_uses_every_value() {
        let random = Scripted(Mutex::new(vec![u32::MAX]));
        assert_eq!(below(&random, 1 << 16), 0xffff);
    }
}
