//! Tokens that were verified, so that a signature is paid once.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use siphasher::sip128::SipHasher13;

use crate::verifier::AccessToken;

/// So many locks that requests seldom wait for one another.
const SHARDS: usize = 16;

/// A token's text, hashed with a secret of the cache's own: nobody can tell beforehand what any text becomes, and to meet one
/// of `n` that are remembered takes 2¹²⁸ ÷ `n` requests.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey(u128);

/// The key is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any 64 bits of a hash are a hash")]
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

type Entries = HashMap<TokenKey, AccessToken, BuildHasherDefault<AsItIs>>;

/// Two generations: when the younger is full, the older is forgotten and the younger takes its place.
#[derive(Default)]
struct Shard {
    young: Entries,
    old: Entries,
}

/// The cache. It says nothing about whether a token is still good.
pub(crate) struct TokenCache {
    /// Begins with the secret.
    hasher: SipHasher13,
    shards: [Mutex<Shard>; SHARDS],
    /// The most entries of a generation of a shard.
    size: usize,
}

impl TokenCache {
    /// A cache of at most `capacity` tokens; 0 keeps none.
    pub(crate) fn new(capacity: usize) -> Self {
        // The standard library's way to the system's randomness.
        let random = RandomState::new();
        let hasher = SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1));
        Self { hasher, shards: Default::default(), size: capacity.div_ceil(2 * SHARDS) }
    }

    /// What a token is remembered by.
    pub(crate) fn key(&self, text: &str) -> TokenKey {
        TokenKey(self.hasher.hash(text.as_bytes()).as_u128())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a few bits choose the shard")]
    fn shard(&self, key: TokenKey) -> MutexGuard<'_, Shard> {
        // Other bits than those by which a map places its entries.
        let index = (key.0 >> 64) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that was put in.
    pub(crate) fn find(&self, key: TokenKey) -> Option<AccessToken> {
        let mut shard = self.shard(key);
        if let Some(token) = shard.young.get(&key) {
            return Some(token.clone());
        }
        let token = shard.old.remove(&key)?;
        self.keep(&mut shard, key, token.clone());
        Some(token)
    }

    /// Puts a token in.
    pub(crate) fn insert(&self, key: TokenKey, token: AccessToken) {
        if self.size > 0 {
            self.keep(&mut self.shard(key), key, token);
        }
    }

    fn keep(&self, shard: &mut Shard, key: TokenKey, token: AccessToken) {
        if shard.young.len() >= self.size {
            shard.old = std::mem::take(&mut shard.young);
            shard.young.reserve(self.size);
        }
        shard.young.insert(key, token);
    }

    /// Takes a token out.
    pub(crate) fn remove(&self, key: TokenKey) {
        let mut shard = self.shard(key);
        if shard.young.remove(&key).is_none() {
            shard.old.remove(&key);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenCache").field("tokens", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_byte_of_a_text_counts_and_nobody_knows_how() {
        let (cache, other) = (TokenCache::new(1), TokenCache::new(1));
        let text = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
        let mut seen = HashSet::from([cache.key(text), cache.key("")]);
        assert!(cache.key(text) == cache.key(text) && cache.key(text) != other.key(text));
        for place in 0..text.len() {
            let (before, after) = text.split_at(place);
            for changed in [before.to_owned(), format!("{before}!{}", &after[1..]), format!("{before}?{after}")] {
                assert!(changed.is_empty() || seen.insert(cache.key(&changed)), "{changed}");
            }
        }
    }
}
