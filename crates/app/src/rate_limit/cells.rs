//! The counters: sharded maps of bounded size.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use doorward_model::time::Timestamp;

use super::gcra::{Quota, Standing, now_ns};

const SHARDS: usize = 64;
/// With all shards full the counters take about 12 MiB.
const CELLS_PER_SHARD: usize = 4096;
/// How many counters are compared to find one to forget in a full shard.
const SAMPLE: usize = 16;

/// Counters by key. When a shard is full, one of those closest to empty makes room: nobody is refused because many
/// others came, and memory stays bounded.
pub struct Cells<K> {
    shards: Vec<Mutex<HashMap<K, i64>>>,
    /// Keyed by the process: keys cannot be chosen to collide.
    hasher: RandomState,
}

impl<K> Default for Cells<K> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl<K: Copy + Eq + Hash> Cells<K> {
    /// Counts one request at `now`.
    pub fn charge(&self, key: K, quota: Quota, now: Timestamp) -> Standing {
        let mut shard = self.shard(&key);
        let (standing, empty_at) = quota.charge(shard.get(&key).copied(), now);
        if shard.len() >= CELLS_PER_SHARD && !shard.contains_key(&key) {
            make_room(&mut shard, now);
        }
        shard.insert(key, empty_at);
        standing
    }

    /// Where `key` stands at `now`.
    pub fn look(&self, key: K, quota: Quota, now: Timestamp) -> Standing {
        let shard = self.shard(&key);
        quota.look(shard.get(&key).copied(), now)
    }

    /// Forgets what is empty at `now` and gives memory back; returns how many counters remain.
    pub fn sweep(&self, now: Timestamp) -> usize {
        let now_ns = now_ns(now);
        let sweep_one = |shard: &Mutex<HashMap<K, i64>>| {
            let mut shard = lock(shard);
            shard.retain(|_, empty_at| *empty_at > now_ns);
            shard.shrink_to_fit();
            shard.len()
        };
        self.shards.iter().map(sweep_one).sum()
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, i64>> {
        let hash = self.hasher.hash_one(key);
        // The remainder is below 64 and fits any usize.
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        lock(&self.shards[index])
    }
}

/// A panic between two map operations leaves a usable map: at worst one request is not counted.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_room<K: Copy + Eq + Hash>(shard: &mut HashMap<K, i64>, now: Timestamp) {
    let now_ns = now_ns(now);
    let candidate = shard.iter().take(SAMPLE).min_by_key(|(_, empty_at)| **empty_at).map(|(key, at)| (*key, *at));
    if let Some((key, empty_at)) = candidate {
        if empty_at <= now_ns {
            shard.retain(|_, empty_at| *empty_at > now_ns);
        }
        shard.remove(&key);
    }
}
