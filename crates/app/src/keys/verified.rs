//! Tokens whose signature was checked before, so that the next request with the same token costs no signature.
//!
//! An entry is worth nothing once the keys changed, and what is kept of the token, if anything, is checked against the
//! clock each time: it never makes a token live longer. Bounded: two generations for each shard, the older one dropped as a whole.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use doorward_model::secret::TokenHash;

const SHARDS: usize = 16;

/// Remembers, by the hash of a token's text, that it was verified, and `K` of it.
pub(crate) struct VerifiedTokens<K> {
    shards: Box<[Mutex<Shard<K>>; SHARDS]>,
    most_in_generation: usize,
}

struct Shard<K> {
    recent: HashMap<TokenHash, Entry<K>>,
    older: HashMap<TokenHash, Entry<K>>,
}

impl<K> Default for Shard<K> {
    fn default() -> Self {
        Self { recent: HashMap::new(), older: HashMap::new() }
    }
}

#[derive(Clone)]
struct Entry<K> {
    ring_version: u64,
    kept: K,
}

impl<K: Clone> VerifiedTokens<K> {
    /// Holds at most `most` tokens, at least one for each shard and generation.
    pub(crate) fn new(most: usize) -> Self {
        Self { shards: Box::default(), most_in_generation: (most / SHARDS / 2).max(1) }
    }

    /// What was kept of a token that was verified with this version of the keys.
    pub(super) fn find(&self, token: &TokenHash, ring_version: u64) -> Option<K> {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = if let Some(entry) = shard.recent.get(token) {
            entry.clone()
        } else {
            let entry = shard.older.remove(token)?;
            shard.insert(*token, entry.clone(), self.most_in_generation);
            entry
        };
        (entry.ring_version == ring_version).then_some(entry.kept)
    }

    /// Remembers a token.
    pub(super) fn insert(&self, token: TokenHash, ring_version: u64, kept: K) {
        let mut shard = self.shard(&token).lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(token, Entry { ring_version, kept }, self.most_in_generation);
    }

    fn shard(&self, token: &TokenHash) -> &Mutex<Shard<K>> {
        &self.shards[usize::from(token.as_bytes()[0]) % SHARDS]
    }
}

impl<K> Shard<K> {
    fn insert(&mut self, token: TokenHash, entry: Entry<K>, most: usize) {
        if self.recent.len() >= most {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(token, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> TokenHash {
        TokenHash::of(&number.to_be_bytes())
    }

    fn held(tokens: &VerifiedTokens<()>) -> usize {
        let count =
            |shard: &Mutex<Shard<()>>| shard.lock().map(|shard| shard.recent.len() + shard.older.len()).unwrap();
        tokens.shards.iter().map(count).sum()
    }

    #[test]
    fn any_number_of_tokens_takes_a_bounded_space() {
        let tokens = VerifiedTokens::new(320);
        for number in 0..5_000 {
            tokens.insert(token(number), 1, ());
        }
        assert!((160..=320).contains(&held(&tokens)), "{}", held(&tokens));
    }

    #[test]
    fn a_token_in_use_stays_while_others_pass() {
        let tokens = VerifiedTokens::new(320);
        tokens.insert(token(0), 1, ());
        for number in 1..5_000 {
            tokens.insert(token(number), 1, ());
            assert!(tokens.find(&token(0), 1).is_some(), "forgotten after {number}");
        }
        assert!(tokens.find(&token(1), 1).is_none());
    }

    #[test]
    fn nothing_is_known_once_the_keys_changed() {
        let tokens = VerifiedTokens::new(320);
        tokens.insert(token(0), 1, ());
        assert!(tokens.find(&token(0), 2).is_none());
    }
}
