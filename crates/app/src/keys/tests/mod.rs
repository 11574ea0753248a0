//! What the tests of keys share.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use doorward_model::random::Random;

/// Repeatable bytes: the hash of seed and position.
pub(crate) struct Seeded {
    seed: u64,
    position: AtomicU64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, position: AtomicU64::new(0) }
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let position = self.position.fetch_add(1, Ordering::Relaxed);
            let input = [self.seed.to_be_bytes(), position.to_be_bytes()].concat();
            chunk.copy_from_slice(&digest::digest(&digest::SHA256, &input).as_ref()[..chunk.len()]);
        }
    }
}
