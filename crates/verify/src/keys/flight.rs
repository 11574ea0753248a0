//! One fetch for all who want the same thing at the same time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::KeysUnavailable;

/// What a fetch came to, once it did.
type Outcome<T> = Option<Result<T, KeysUnavailable>>;

/// At most one fetch at a time. Its failure answers for a little while for those who come after it.
#[derive(Debug)]
pub(super) struct Flight<T> {
    slot: Mutex<Slot<T>>,
    /// How long a failure answers.
    retry_after_ms: i64,
}

#[derive(Debug)]
struct Slot<T> {
    running: Option<watch::Receiver<Outcome<T>>>,
    failed: Option<(KeysUnavailable, i64)>,
}

/// How somebody gets on who wants a fetch.
pub(super) enum Entry<T> {
    /// It is there already.
    Value(T),
    /// It is being fetched.
    Wait(Wait<T>),
    /// It failed a moment ago.
    Failed(KeysUnavailable),
}

impl<T: Clone> Flight<T> {
    pub(super) fn new(retry_after_ms: i64) -> Self {
        Self { slot: Mutex::new(Slot { running: None, failed: None }), retry_after_ms }
    }

    /// Joins the fetch that runs, or begins one. `there` looks whether it is still needed, while nobody can begin or end
    /// one: between the caller's own look and now a fetch may have come back. `begin` gives the ticket to a task that
    /// outlives the one who asks.
    pub(super) fn enter(
        self: &Arc<Self>,
        now_ms: i64,
        there: impl FnOnce() -> Option<T>,
        begin: impl FnOnce(Ticket<T>),
    ) -> Entry<T> {
        let (ticket, receiver) = {
            let mut slot = self.lock();
            if let Some(receiver) = &slot.running {
                return Entry::Wait(Wait(receiver.clone()));
            }
            if let Some((error, at)) = slot.failed
                && (0..self.retry_after_ms).contains(&now_ms.saturating_sub(at))
            {
                return Entry::Failed(error);
            }
            if let Some(value) = there() {
                return Entry::Value(value);
            }
            let (sender, receiver) = watch::channel(None);
            slot.running = Some(receiver.clone());
            (Ticket { flight: Arc::clone(self), sender, outcome: None, at: now_ms }, receiver)
        };
        // A task that cannot be started drops its ticket at once, which takes the lock.
        begin(ticket);
        Entry::Wait(Wait(receiver))
    }

    /// A panic elsewhere while it was held leaves nothing half done in it.
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the fetch when dropped, whatever happened to the task that held it.
pub(super) struct Ticket<T: Clone> {
    flight: Arc<Flight<T>>,
    sender: watch::Sender<Outcome<T>>,
    outcome: Outcome<T>,
    at: i64,
}

impl<T: Clone> Ticket<T> {
    /// Tells all who wait.
    pub(super) fn finish(mut self, outcome: Result<T, KeysUnavailable>, now_ms: i64) {
        self.outcome = Some(outcome);
        self.at = now_ms;
    }
}

impl<T: Clone> Drop for Ticket<T> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or(Err(KeysUnavailable::Interrupted));
        let mut slot = self.flight.lock();
        slot.running = None;
        slot.failed = outcome.as_ref().err().map(|error| (*error, self.at));
        self.sender.send_replace(Some(outcome));
    }
}

/// Waits for a fetch. Whoever stops waiting does not stop it.
pub(super) struct Wait<T>(watch::Receiver<Outcome<T>>);

impl<T: Clone> Wait<T> {
    pub(super) async fn outcome(mut self) -> Result<T, KeysUnavailable> {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(KeysUnavailable::Interrupted)),
            Err(_) => Err(KeysUnavailable::Interrupted),
        }
    }
}
