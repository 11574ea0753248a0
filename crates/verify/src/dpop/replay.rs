//! Proofs that were used.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use thiserror::Error;

/// What a proof is remembered by: a hash of its key and its id, so that all take the same room and no client can use up
/// the ids of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId([u8; 16]);

impl ProofId {
    pub(super) fn of(thumbprint: &str, id: &str) -> Self {
        let mut context = Context::new(&SHA256);
        // A thumbprint has one length, so nothing can move from one to the other.
        context.update(thumbprint.as_bytes());
        context.update(id.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(hash)
    }

    /// For a store elsewhere.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Why a proof may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It was used before.
    #[error("the proof was used before")]
    Seen,
    /// There is no room for another, and none that is needed is forgotten.
    #[error("there is no room for another proof")]
    Full,
    /// The store cannot be reached.
    #[error("the store of used proofs cannot be reached")]
    Unavailable,
}

/// Whether a proof was new, some time.
pub type Remembered<'a> = Pin<Box<dyn Future<Output = Result<(), ReplayError>> + Send + 'a>>;

/// Remembers used proofs (RFC 9449 section 11.1). Nodes that serve the same addresses should share one, or a proof can
/// be used once at each.
pub trait ReplayStore: Debug + Send + Sync + 'static {
    /// Remembers a proof through the second `good_until`; an error if it was there already, of two at the same time for
    /// one of them. A store that cannot tell says so: it neither forgets early nor lets anything through.
    fn remember(&self, proof: ProofId, good_until: i64, now_seconds: i64) -> Remembered<'_>;
}

/// How many seconds end together: what is over is forgotten in heaps of so many.
const HEAP_SECONDS: i64 = 16;

/// Used proofs in the memory of this process.
#[derive(Debug)]
pub struct MemoryReplays {
    capacity: usize,
    heaps: Mutex<Heaps>,
}

#[derive(Debug)]
struct Heaps {
    /// By the time in which their proofs end, in heaps.
    by_end: BTreeMap<i64, HashSet<[u8; 16]>>,
    count: usize,
    /// The first heap that was not forgotten. Proofs that end before it cannot be told from used ones.
    first: i64,
}

impl MemoryReplays {
    /// Room for so many. With the default settings each is needed for five minutes.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, heaps: Mutex::new(Heaps { by_end: BTreeMap::new(), count: 0, first: i64::MIN }) }
    }

    fn take(&self, proof: ProofId, good_until: i64, now_seconds: i64) -> Result<(), ReplayError> {
        let mut heaps = self.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        heaps.forget_before(now_seconds.div_euclid(HEAP_SECONDS));
        let end = good_until.div_euclid(HEAP_SECONDS);
        // The clock was set back, and what was used then is forgotten.
        if end < heaps.first || heaps.by_end.values().any(|heap| heap.contains(&proof.0)) {
            return Err(ReplayError::Seen);
        }
        if heaps.count >= self.capacity {
            return Err(ReplayError::Full);
        }
        heaps.by_end.entry(end).or_default().insert(proof.0);
        heaps.count = heaps.count.saturating_add(1);
        Ok(())
    }
}

impl Default for MemoryReplays {
    /// Room for 100,000.
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl ReplayStore for MemoryReplays {
    fn remember(&self, proof: ProofId, good_until: i64, now_seconds: i64) -> Remembered<'_> {
        Box::pin(ready(self.take(proof, good_until, now_seconds)))
    }
}

impl Heaps {
    fn forget_before(&mut self, heap: i64) {
        if heap > self.first {
            let kept = self.by_end.split_off(&heap);
            let forgotten: usize = std::mem::replace(&mut self.by_end, kept).values().map(HashSet::len).sum();
            self.count = self.count.saturating_sub(forgotten);
            self.first = heap;
        }
    }
}

#[cfg(test)]
mod tests;
