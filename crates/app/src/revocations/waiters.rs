//! Who waits for news: so many at once of one follower and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests that may wait at this node.
const MOST: usize = 1_024;
/// Requests that may wait for one client, which may run in many places.
const MOST_OF_ONE: usize = 64;

/// The requests that wait, by who asks.
#[derive(Clone, Default)]
pub(super) struct Waiters(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    by_name: HashMap<String, usize>,
    all: usize,
}

/// The place of one request that waits.
pub(super) struct Place {
    waiters: Waiters,
    name: String,
}

impl Waiters {
    /// A place for one more request of `name`; none when there are too many.
    pub(super) fn enter(&self, name: &str) -> Option<Place> {
        self.change(|counts| {
            let own = counts.by_name.get(name).copied().unwrap_or_default();
            if counts.all >= MOST || own >= MOST_OF_ONE {
                return None;
            }
            counts.all += 1;
            counts.by_name.insert(name.to_owned(), own + 1);
            Some(Place { waiters: self.clone(), name: name.to_owned() })
        })
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.change(|counts| counts.all)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        // Nothing in it panics between two steps.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiters.change(|counts| {
            counts.all -= 1;
            if let Some(own) = counts.by_name.get_mut(&self.name) {
                *own -= 1;
                if *own == 0 {
                    counts.by_name.remove(&self.name);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_one_and_for_all_and_come_back() {
        let waiters = Waiters::default();
        let mut places: Vec<Place> = (0..MOST_OF_ONE).map(|_| waiters.enter("one").unwrap()).collect();
        assert!(waiters.enter("one").is_none());
        for name in 0..MOST {
            places.extend(waiters.enter(&name.to_string()));
        }
        assert_eq!((places.len(), waiters.count()), (MOST, MOST));
        assert!(waiters.enter("another").is_none());
        drop(places);
        assert_eq!(waiters.count(), 0);
        assert!(waiters.0.lock().unwrap().by_name.is_empty());
        assert!(waiters.enter("one").is_some());
    }
}
