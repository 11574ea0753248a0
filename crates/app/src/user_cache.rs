//! People this node has looked at within the last second, so that asking who one is costs no query each time.
//!
//! What this node changes is forgotten at once; what another process changes (another node, a command) is seen after
//! [`FRESH_MS`]. Whether somebody may still come in at all is not decided here but by their session.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward_model::id::UserId;
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_store::users::User;

/// How long a row is believed.
const FRESH_MS: i64 = SECOND_MS;
/// Most entries kept.
const MOST_ENTRIES: usize = 20_000;

/// The cache of one node.
#[derive(Default)]
pub(crate) struct UserCache {
    entries: Mutex<HashMap<UserId, Entry>>,
    /// Moves with every removal, so that a row read before it is not put in after it.
    removals: AtomicU64,
}

struct Entry {
    user: Arc<User>,
    read_at: Timestamp,
}

impl UserCache {
    /// The person, from here or by `read`; `now` is when the request came.
    pub(crate) async fn find<E, F>(&self, id: UserId, now: Timestamp, read: F) -> Result<Option<Arc<User>>, E>
    where
        F: Future<Output = Result<Option<User>, E>>,
    {
        if let Some(user) = self.fresh(id, now) {
            return Ok(Some(user));
        }
        let ticket = self.removals.load(Ordering::Acquire);
        let Some(user) = read.await?.map(Arc::new) else { return Ok(None) };
        self.keep(id, Entry { user: Arc::clone(&user), read_at: now }, ticket);
        Ok(Some(user))
    }

    fn fresh(&self, id: UserId, now: Timestamp) -> Option<Arc<User>> {
        let entries = self.lock();
        let entry = entries.get(&id)?;
        // Further ahead than now, the clock was set back: nothing is known about the entry's age.
        (0..FRESH_MS).contains(&now.since_ms(entry.read_at)).then(|| Arc::clone(&entry.user))
    }

    fn keep(&self, id: UserId, entry: Entry, ticket: u64) {
        let mut entries = self.lock();
        if self.removals.load(Ordering::Acquire) != ticket {
            return;
        }
        if entries.len() >= MOST_ENTRIES && !entries.contains_key(&id) {
            let now = entry.read_at;
            entries.retain(|_, kept| (0..FRESH_MS).contains(&now.since_ms(kept.read_at)));
            if entries.len() >= MOST_ENTRIES {
                return;
            }
        }
        entries.insert(id, entry);
    }

    /// Drops what was changed.
    pub(crate) fn forget(&self, id: UserId) {
        let mut entries = self.lock();
        self.removals.fetch_add(1, Ordering::AcqRel);
        entries.remove(&id);
    }

    /// Drops what is too old to be used and gives memory back.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut entries = self.lock();
        entries.retain(|_, kept| (0..FRESH_MS).contains(&now.since_ms(kept.read_at)));
        entries.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Entry>> {
        // A panic between two map operations leaves a usable map: every entry is checked again when it is used.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn user(name: &str) -> User {
        let email = "ada@example.com".to_owned();
        User { name: Some(name.to_owned()), ..User::new(UserId::from_uuid([7; 16]), email.clone(), email, NOW) }
    }

    /// Looks the user up at `now`, from a database that holds `stored`; says what was found and whether it was read.
    async fn look(cache: &UserCache, now: Timestamp, stored: &str) -> (String, bool) {
        let was_read = Cell::new(false);
        let read = async {
            was_read.set(true);
            Ok::<_, ()>(Some(user(stored)))
        };
        let found = cache.find(UserId::from_uuid([7; 16]), now, read).await.unwrap().unwrap();
        (found.name.clone().unwrap(), was_read.get())
    }

    #[tokio::test]
    async fn a_row_is_believed_for_a_second() {
        let cache = UserCache::default();
        assert_eq!(look(&cache, NOW, "Ada").await, ("Ada".to_owned(), true));
        assert_eq!(look(&cache, NOW.plus_ms(999), "Grace").await, ("Ada".to_owned(), false));
        assert_eq!(look(&cache, NOW.plus_ms(1_000), "Grace").await, ("Grace".to_owned(), true));
        // The clock was set back.
        assert_eq!(look(&cache, NOW, "Ada").await, ("Ada".to_owned(), true));
    }

    #[tokio::test]
    async fn what_changed_is_read_again_also_when_it_changed_during_the_read() {
        let cache = UserCache::default();
        look(&cache, NOW, "Ada").await;
        cache.forget(UserId::from_uuid([7; 16]));
        assert_eq!(look(&cache, NOW, "Grace").await, ("Grace".to_owned(), true));
        cache.forget(UserId::from_uuid([7; 16]));
        let overtaken = async {
            cache.forget(UserId::from_uuid([7; 16]));
            Ok::<_, ()>(Some(user("Grace")))
        };
        cache.find(UserId::from_uuid([7; 16]), NOW, overtaken).await.unwrap();
        assert_eq!(look(&cache, NOW, "Edith").await, ("Edith".to_owned(), true));
    }

    #[tokio::test]
    async fn sweeping_leaves_what_is_fresh() {
        let cache = UserCache::default();
        look(&cache, NOW, "Ada").await;
        cache.sweep(NOW.plus_ms(500));
        assert_eq!(cache.lock().len(), 1);
        cache.sweep(NOW.plus_ms(1_500));
        assert_eq!(cache.lock().len(), 0);
    }
}
