//! Who wants to know when something is listed: connections that stay open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::Revocations;
use super::list::Item;

/// Those who watch, by what they watch.
#[derive(Default)]
pub(crate) struct Watchers {
    by_item: Mutex<HashMap<Item, HashMap<u64, Arc<Notify>>>>,
    last_id: AtomicU64,
}

impl Watchers {
    /// Wakes whoever watches one of the items.
    pub(super) fn wake<'a>(&self, items: impl Iterator<Item = &'a Item>) {
        let by_item = self.by_item.lock().unwrap_or_else(PoisonError::into_inner);
        if by_item.is_empty() {
            return;
        }
        for watcher in items.filter_map(|item| by_item.get(item)).flat_map(HashMap::values) {
            watcher.notify_one();
        }
    }
}

/// One who watches, until it is dropped.
pub(crate) struct Watch {
    revocations: Arc<Revocations>,
    items: Vec<Item>,
    id: u64,
    listed: Arc<Notify>,
}

impl Watch {
    pub(super) fn new(revocations: Arc<Revocations>, items: Vec<Item>) -> Self {
        let id = revocations.watchers.last_id.fetch_add(1, Ordering::Relaxed);
        let listed = Arc::new(Notify::new());
        let mut by_item = revocations.watchers.by_item.lock().unwrap_or_else(PoisonError::into_inner);
        for item in &items {
            by_item.entry(*item).or_default().insert(id, Arc::clone(&listed));
        }
        drop(by_item);
        Self { revocations, items, id, listed }
    }

    /// Returns when an item was listed since the last call.
    pub(crate) async fn listed(&self) {
        self.listed.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut by_item = self.revocations.watchers.by_item.lock().unwrap_or_else(PoisonError::into_inner);
        for item in &self.items {
            if let Some(watchers) = by_item.get_mut(item) {
                watchers.remove(&self.id);
                if watchers.is_empty() {
                    by_item.remove(item);
                }
            }
        }
    }
}
