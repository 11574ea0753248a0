//! What many tokens have in common, kept once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The most sets of common claims that are kept apart. Beyond it the pool begins anew: tokens that live keep theirs.
const MAX_SETS: usize = 4_096;

/// Claims that do not differ from one token of a client to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shared {
    pub(crate) issuer: Box<str>,
    pub(crate) audiences: Box<[Box<str>]>,
    pub(crate) scopes: Box<[Box<str>]>,
    pub(crate) acr: Option<Box<str>>,
    pub(crate) amr: Box<[Box<str>]>,
}

/// The sets that are known.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    sets: Mutex<HashSet<Arc<Shared>>>,
}

impl Pool {
    /// The one copy of a set.
    pub(crate) fn share(&self, set: Shared) -> Arc<Shared> {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sets.get(&set) {
            return Arc::clone(known);
        }
        if sets.len() >= MAX_SETS {
            sets.clear();
        }
        let set = Arc::new(set);
        sets.insert(Arc::clone(&set));
        set
    }
}
