//! Proofs that were used.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use thiserror::Error;

/// What a proof is remembered by: a hash of its key and its id, so that all take the same room and no client can use up
/// the ids of another; and whom it is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProofId {
    bytes: [u8; 16],
    holder: [u8; 16],
}

impl ProofId {
    pub(super) fn of(thumbprint: &str, id: &str, holder: Option<&str>) -> Self {
        // A thumbprint has one length, so nothing can move from one part to the other.
        let bytes = half_of_hash(&[thumbprint, id]);
        Self { bytes, holder: half_of_hash(&[holder.unwrap_or(thumbprint)]) }
    }

    /// For a store elsewhere.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// Who made it, as a hash: for a store that gives nobody all of its room.
    pub const fn holder(&self) -> &[u8; 16] {
        &self.holder
    }
}

fn half_of_hash(parts: &[&str]) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.as_bytes());
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&context.finish().as_ref()[..16]);
    hash
}

/// Why a proof may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It was used before.
    #[error("the proof was used before")]
    Seen,
    /// There is no room for another of its holder, and none that is needed is forgotten.
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
///
/// Nobody may hold more than is free: one alone holds half, two a third each. So whoever sends proofs without end is
/// refused for that, and whoever comes later finds room.
#[derive(Debug)]
pub struct MemoryReplays {
    capacity: usize,
    heaps: Mutex<Heaps>,
}

#[derive(Debug)]
struct Heaps {
    /// By the time in which their proofs end.
    by_end: BTreeMap<i64, Heap>,
    /// How many proofs each holder has in all of them.
    held: HashMap<[u8; 16], usize>,
    count: usize,
    /// The first heap that was not forgotten. Proofs that end before it cannot be told from used ones.
    first: i64,
}

/// Proofs that end together.
#[derive(Debug, Default)]
struct Heap {
    proofs: HashSet<[u8; 16]>,
    held: HashMap<[u8; 16], usize>,
}

impl MemoryReplays {
    /// Room for so many, half of it for one holder. With the default settings each is needed for five minutes.
    pub fn new(capacity: usize) -> Self {
        let heaps = Heaps { by_end: BTreeMap::new(), held: HashMap::new(), count: 0, first: i64::MIN };
        Self { capacity, heaps: Mutex::new(heaps) }
    }

    fn take(&self, proof: ProofId, good_until: i64, now_seconds: i64) -> Result<(), ReplayError> {
        let mut heaps = self.heaps.lock().unwrap_or_else(PoisonError::into_inner);
        heaps.forget_before(now_seconds.div_euclid(HEAP_SECONDS));
        let end = good_until.div_euclid(HEAP_SECONDS);
        // The clock was set back, and what was used then is forgotten.
        if end < heaps.first || heaps.by_end.values().any(|heap| heap.proofs.contains(&proof.bytes)) {
            return Err(ReplayError::Seen);
        }
        let held = heaps.held.get(&proof.holder).copied().unwrap_or_default();
        if held >= self.capacity.saturating_sub(heaps.count) {
            return Err(ReplayError::Full);
        }
        heaps.insert(proof, end);
        Ok(())
    }
}

impl Default for MemoryReplays {
    /// Room for 200,000.
    fn default() -> Self {
        Self::new(200_000)
    }
}

impl ReplayStore for MemoryReplays {
    fn remember(&self, proof: ProofId, good_until: i64, now_seconds: i64) -> Remembered<'_> {
        Box::pin(ready(self.take(proof, good_until, now_seconds)))
    }
}

impl Heaps {
    fn insert(&mut self, proof: ProofId, end: i64) {
        let heap = self.by_end.entry(end).or_default();
        heap.proofs.insert(proof.bytes);
        for held in [&mut heap.held, &mut self.held] {
            let held = held.entry(proof.holder).or_default();
            *held = held.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
    }

    fn forget_before(&mut self, first: i64) {
        if first <= self.first {
            return;
        }
        let kept = self.by_end.split_off(&first);
        for heap in std::mem::replace(&mut self.by_end, kept).into_values() {
            self.count = self.count.saturating_sub(heap.proofs.len());
            for (holder, gone) in heap.held {
                let Entry::Occupied(mut held) = self.held.entry(holder) else { continue };
                let left = held.get().saturating_sub(gone);
                if left == 0 {
                    held.remove();
                } else {
                    held.insert(left);
                }
            }
        }
        self.first = first;
    }
}

#[cfg(test)]
mod tests;
