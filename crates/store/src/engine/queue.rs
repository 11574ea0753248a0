//! The bounded queue between callers and the threads of an engine.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use metrics::Histogram;

use crate::StoreError;
use crate::engine::moment;
use crate::engine::work::Work;

/// Work in a queue.
pub(crate) struct Entry {
    pub(crate) work: Box<dyn Work>,
    pub(crate) since: Instant,
    /// Its place among all that were accepted.
    number: u64,
    /// Whether it may only read.
    pub(crate) is_read: bool,
    /// Free of time budgets: migrations.
    pub(crate) unlimited: bool,
}

/// Takes work while it is open and has room, hands it out in order, refuses what waited longer than `patience`.
pub(crate) struct Queue {
    label: &'static str,
    capacity: usize,
    patience: Duration,
    state: Mutex<State>,
    consumers: Condvar,
    timekeeper: Condvar,
    sleepers: Condvar,
    /// Looked up once: a look-up costs more than what is measured.
    waits: OnceLock<Histogram>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Entry>,
    idle_consumers: usize,
    /// Idle consumers that were woken and have not run yet.
    waking: usize,
    /// How many were ever accepted.
    accepted: u64,
    is_timekeeper_idle: bool,
    is_closed: bool,
}

impl Queue {
    pub(crate) fn new(label: &'static str, capacity: usize, patience: Duration) -> Self {
        Self {
            label,
            capacity,
            patience,
            state: Mutex::default(),
            consumers: Condvar::new(),
            timekeeper: Condvar::new(),
            sleepers: Condvar::new(),
            waits: OnceLock::new(),
        }
    }

    /// Accepts the work, or refuses it at once.
    pub(crate) fn push(&self, work: Box<dyn Work>, is_read: bool, unlimited: bool) {
        let mut entry = Entry { work, since: moment::now(), number: 0, is_read, unlimited };
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return entry.work.refuse(StoreError::Closed);
        }
        if state.waiting.len() >= self.capacity {
            drop(state);
            metrics::counter!("store_refused_total", "queue" => self.label, "reason" => "full").increment(1);
            return entry.work.refuse(StoreError::Unavailable);
        }
        state.accepted += 1;
        entry.number = state.accepted;
        state.waiting.push_back(entry);
        // Waking costs a system call each: only for somebody who sleeps and was not woken yet.
        let wakes_consumer = state.idle_consumers > state.waking;
        if wakes_consumer {
            state.waking += 1;
        }
        let wakes_timekeeper = std::mem::take(&mut state.is_timekeeper_idle);
        // On a busy core whoever is woken may run at once, and would only wait for the lock.
        drop(state);
        if wakes_consumer {
            self.consumers.notify_one();
        }
        if wakes_timekeeper {
            self.timekeeper.notify_one();
        }
    }

    /// Puts work back in front that its taker could not start.
    pub(crate) fn give_back(&self, entry: Entry) {
        let mut state = self.lock();
        state.waiting.push_front(entry);
        self.consumers.notify_one();
        // It is older than what the timekeeper waits for.
        self.timekeeper.notify_one();
    }

    /// Waits for work. `None` when the queue is closed and everything accepted was handed out.
    pub(crate) fn pop(&self) -> Option<Entry> {
        self.pop_first().map(|(entry, _)| entry)
    }

    /// The same, with the number of the last one that had been accepted by then.
    pub(crate) fn pop_first(&self) -> Option<(Entry, u64)> {
        loop {
            let mut state = self.wait_and_let_others_push()?;
            let (entry, last) = (state.waiting.pop_front(), state.accepted);
            self.dismiss_timekeeper(&state);
            drop(state);
            // None when somebody else took it, or it was refused, meanwhile.
            if let Some(entry) = entry {
                self.record_wait(&entry);
                return Some((entry, last));
            }
        }
    }

    /// The next one that waits, without waiting for it, if it had been accepted when `last` was.
    pub(crate) fn pop_until(&self, last: u64) -> Option<Entry> {
        let mut state = self.lock();
        if state.waiting.front()?.number > last {
            return None;
        }
        let entry = state.waiting.pop_front();
        self.dismiss_timekeeper(&state);
        entry
    }

    /// Waits for work, then takes up to `max` of what is there: nothing when it was refused meanwhile. False when closed
    /// and empty.
    pub(crate) fn pop_batch(&self, batch: &mut Vec<Entry>, max: usize) -> bool {
        let Some(mut state) = self.wait_and_let_others_push() else { return false };
        let count = state.waiting.len().min(max);
        batch.extend(state.waiting.drain(..count));
        self.dismiss_timekeeper(&state);
        drop(state);
        // The first one waited longest; measuring each would cost more than it tells.
        if let Some(entry) = batch.first() {
            self.record_wait(entry);
        }
        true
    }

    /// Refuses new work from now on; what was accepted is still handed out.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.consumers.notify_all();
        self.timekeeper.notify_all();
        self.sleepers.notify_all();
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Sleeps until `until` or until the queue is closed.
    pub(crate) fn sleep_until(&self, until: Instant) {
        let mut state = self.lock();
        while !state.is_closed {
            let left = until.saturating_duration_since(moment::now());
            if left.is_zero() {
                return;
            }
            state = self.sleepers.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Body of the timekeeper thread: refuses work that waited longer than the queue's patience, whatever the
    /// other threads are stuck in. Ends when the queue is closed and empty.
    pub(crate) fn keep_time(&self) {
        let mut state = self.lock();
        loop {
            let Some(front) = state.waiting.front() else {
                if state.is_closed {
                    return;
                }
                state = self.wait_for_quiet(state);
                continue;
            };
            let left = self.patience.saturating_sub(moment::now().saturating_duration_since(front.since));
            if !left.is_zero() {
                state = self.timekeeper.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let expired = state.waiting.pop_front();
            drop(state);
            if let Some(entry) = expired {
                metrics::counter!("store_refused_total", "queue" => self.label, "reason" => "waited").increment(1);
                entry.work.refuse(StoreError::Unavailable);
            }
            state = self.lock();
        }
    }

    /// What comes now cannot have waited too long before one patience is over, so the timekeeper need not be woken for
    /// it; only when nothing came in that time does it sleep until somebody wakes it.
    fn wait_for_quiet<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let accepted = state.accepted;
        let mut state = self.timekeeper.wait_timeout(state, self.patience).unwrap_or_else(PoisonError::into_inner).0;
        if state.accepted != accepted || state.is_closed {
            return state;
        }
        state.is_timekeeper_idle = true;
        self.timekeeper.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue once there was something in it, or none when it is closed and empty.
    fn wait_and_let_others_push(&self) -> Option<MutexGuard<'_, State>> {
        let (state, has_waited) = self.wait_for_work();
        let state = state?;
        if !has_waited {
            return Some(state);
        }
        // Whoever woke us may be about to push more: on a busy core it goes first, and more share the commit, or the
        // turn of a reader. On an idle one this returns at once.
        drop(state);
        std::thread::yield_now();
        Some(self.lock())
    }

    /// The queue with something in it, or none when it is closed and empty; and whether that took sleeping.
    fn wait_for_work(&self) -> (Option<MutexGuard<'_, State>>, bool) {
        let mut state = self.lock();
        let mut has_waited = false;
        while state.waiting.is_empty() {
            if state.is_closed {
                return (None, has_waited);
            }
            has_waited = true;
            state.idle_consumers += 1;
            state = self.consumers.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle_consumers -= 1;
            state.waking = state.waking.saturating_sub(1);
        }
        (Some(state), has_waited)
    }

    /// Once a closed queue is empty the timekeeper has nothing left to wait for.
    fn dismiss_timekeeper(&self, state: &State) {
        if state.is_closed && state.waiting.is_empty() {
            self.timekeeper.notify_one();
        }
    }

    fn record_wait(&self, entry: &Entry) {
        let waited = moment::now().saturating_duration_since(entry.since);
        let waits = self.waits.get_or_init(|| metrics::histogram!("store_wait_seconds", "queue" => self.label));
        waits.record(waited);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock, so a poisoned one still holds a valid queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
