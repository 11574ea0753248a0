//! Tokens whose signature was checked before, so that the next request with the same token costs no signature.
//!
//! An entry is worth nothing once the keys changed, and its claims are checked against the clock each time: it
//! never makes a token live longer. Bounded: two generations for each shard, the older one dropped as a whole.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use doorward_model::secret::TokenHash;
use doorward_model::token::AccessClaims;

const SHARDS: usize = 16;

/// Remembers claims by the hash of the token's text.
pub(super) struct VerifiedTokens {
    shards: [Mutex<Shard>; SHARDS],
    most_in_generation: usize,
}

#[derive(Default)]
struct Shard {
    recent: HashMap<TokenHash, Entry>,
    older: HashMap<TokenHash, Entry>,
}

#[derive(Clone)]
struct Entry {
    ring_version: u64,
    claims: Arc<AccessClaims>,
}

impl VerifiedTokens {
    /// Holds at most `most` tokens, at least one for each shard and generation.
    pub(super) fn new(most: usize) -> Self {
        Self { shards: Default::default(), most_in_generation: (most / SHARDS / 2).max(1) }
    }

    /// The claims of a token that was verified with this version of the keys.
    pub(super) fn find(&self, token: &TokenHash, ring_version: u64) -> Option<Arc<AccessClaims>> {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = if let Some(entry) = shard.recent.get(token) {
            entry.clone()
        } else {
            let entry = shard.older.remove(token)?;
            shard.insert(*token, entry.clone(), self.most_in_generation);
            entry
        };
        (entry.ring_version == ring_version).then_some(entry.claims)
    }

    /// Remembers a token.
    pub(super) fn insert(&self, token: TokenHash, ring_version: u64, claims: Arc<AccessClaims>) {
        let mut shard = self.shard(&token).lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(token, Entry { ring_version, claims }, self.most_in_generation);
    }

    fn shard(&self, token: &TokenHash) -> &Mutex<Shard> {
        &self.shards[usize::from(token.as_bytes()[0]) % SHARDS]
    }
}

impl Shard {
    fn insert(&mut self, token: TokenHash, entry: Entry, most: usize) {
        if self.recent.len() >= most {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(token, entry);
    }
}

#[cfg(test)]
mod tests {
    use doorward_model::id::{SessionId, TokenId, UserId};
    use doorward_model::time::Timestamp;

    use super::*;

    fn claims() -> Arc<AccessClaims> {
        Arc::new(AccessClaims {
            issuer: String::new(),
            audience: String::new(),
            subject: UserId::from_uuid([0; 16]),
            client_id: String::new(),
            session_id: SessionId::from_uuid([0; 16]),
            token_id: TokenId::from_uuid([0; 16]),
            issued_at: Timestamp::from_ms(0),
            expires_at: Timestamp::from_ms(0),
            authenticated_at: Timestamp::from_ms(0),
            acr: String::new(),
            amr: Vec::new(),
            scope: String::new(),
            not_before: None,
        })
    }

    fn token(number: u64) -> TokenHash {
        TokenHash::of(&number.to_be_bytes())
    }

    fn held(tokens: &VerifiedTokens) -> usize {
        let count = |shard: &Mutex<Shard>| shard.lock().map(|shard| shard.recent.len() + shard.older.len()).unwrap();
        tokens.shards.iter().map(count).sum()
    }

    #[test]
    fn any_number_of_tokens_takes_a_bounded_space() {
        let tokens = VerifiedTokens::new(320);
        for number in 0..5_000 {
            tokens.insert(token(number), 1, claims());
        }
        assert!((160..=320).contains(&held(&tokens)), "{}", held(&tokens));
    }

    #[test]
    fn a_token_in_use_stays_while_others_pass() {
        let tokens = VerifiedTokens::new(320);
        tokens.insert(token(0), 1, claims());
        for number in 1..5_000 {
            tokens.insert(token(number), 1, claims());
            assert!(tokens.find(&token(0), 1).is_some(), "forgotten after {number}");
        }
        assert!(tokens.find(&token(1), 1).is_none());
    }

    #[test]
    fn nothing_is_known_once_the_keys_changed() {
        let tokens = VerifiedTokens::new(320);
        tokens.insert(token(0), 1, claims());
        assert!(tokens.find(&token(0), 2).is_none());
    }
}
