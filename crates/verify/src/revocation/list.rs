//! The entries: many, small, looked up often.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};

/// So many locks that purging one keeps few waiting.
const SHARDS: usize = 16;

/// The most keys of a shard that stay when everything else is dropped.
const MOST_KEYS: usize = 256;

/// What kind of id is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Session,
    Grant,
    Token,
    Client,
    Subject,
    Key,
}

impl Kind {
    /// A kind by its name; none for one that this version does not know.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "session" => Self::Session,
            "grant" => Self::Grant,
            "token" => Self::Token,
            "client" => Self::Client,
            "subject" => Self::Subject,
            "key" => Self::Key,
            _ => return None,
        })
    }
}

/// An id as it is listed: half of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) hash: [u8; 16],
}

impl Item {
    /// Of an id.
    pub(crate) fn of(kind: Kind, id: &str) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest(&SHA256, id.as_bytes()).as_ref()[..16]);
        Self { kind, hash }
    }
}

/// Seconds since 1970 in four bytes: good until 2106.
type Seconds = u32;

/// What was revoked, and when last.
#[derive(Default)]
pub(crate) struct List {
    shards: [RwLock<HashMap<Item, Seconds>>; SHARDS],
}

impl List {
    fn shard(&self, item: &Item) -> &RwLock<HashMap<Item, Seconds>> {
        &self.shards[usize::from(item.hash[0]) % SHARDS]
    }

    /// When it was revoked last, in seconds.
    pub(crate) fn find(&self, item: &Item) -> Option<i64> {
        let shard = self.shard(item).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(item).copied().map(i64::from)
    }

    /// Adds an entry; the latest time counts.
    pub(crate) fn insert(&self, item: Item, at: i64) {
        let at = Seconds::try_from(at.max(0)).unwrap_or(Seconds::MAX);
        let mut shard = self.shard(&item).write().unwrap_or_else(PoisonError::into_inner);
        shard.entry(item).and_modify(|known| *known = at.max(*known)).or_insert(at);
    }

    /// Drops what was revoked before a time. Keys stay: whoever stole one goes on making tokens, and the issuer's set of
    /// keys may be an old one for a day.
    pub(crate) fn delete_before(&self, before: i64) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|item, at| item.kind == Kind::Key || i64::from(*at) >= before);
            if shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit();
            }
        }
    }

    /// Drops everything but keys, and these too when there are more than any issuer has.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let keys: HashMap<_, _> = shard
                .iter()
                .filter(|(item, _)| item.kind == Kind::Key)
                .take(MOST_KEYS)
                .map(|(item, at)| (*item, *at))
                .collect();
            *shard = keys;
        }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}
