//! The queue and the threads that work it off.

use std::collections::VecDeque;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorward_model::password::Password;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::work::{self, Memory};
use super::{HasherOptions, HashingError, Verdict};

type Answer<T> = oneshot::Sender<Result<T, HashingError>>;

/// What a worker is asked to do, and where the answer goes.
pub(super) enum Task {
    Hash {
        password: Password,
        salt: [u8; 16],
        answer: Answer<String>,
    },
    Verify {
        password: Password,
        stored: Option<String>,
        answer: Answer<Verdict>,
    },
    /// Lets a test hold a worker or make it fail.
    #[cfg(test)]
    Test {
        work: Box<dyn FnOnce() + Send>,
        answer: Answer<()>,
    },
}

impl Task {
    fn is_wanted(&self) -> bool {
        match self {
            Self::Hash { answer, .. } => !answer.is_closed(),
            Self::Verify { answer, .. } => !answer.is_closed(),
            #[cfg(test)]
            Self::Test { answer, .. } => !answer.is_closed(),
        }
    }

    fn refuse(self, error: HashingError) {
        match self {
            Self::Hash { answer, .. } => send(answer, Err(error)),
            Self::Verify { answer, .. } => send(answer, Err(error)),
            #[cfg(test)]
            Self::Test { answer, .. } => send(answer, Err(error)),
        }
    }
}

/// A caller that went away meanwhile misses its answer, which is fine.
fn send<T>(answer: Answer<T>, result: Result<T, HashingError>) {
    drop(answer.send(result));
}

struct Waiting {
    task: Task,
    since: Instant,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    is_closed: bool,
}

impl Queue {
    #[expect(clippy::cast_precision_loss, reason = "a queue is shorter than 2^52")]
    fn show_length(&self) {
        metrics::gauge!("password_hash_queue_length").set(self.waiting.len() as f64);
    }
}

/// What a hasher is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasherGauges {
    /// Worker threads.
    pub workers: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Buffers that are allocated.
    pub buffers: usize,
    /// Requests skipped because their caller went away, since the start.
    pub abandoned: u64,
    /// Computations that panicked, since the start.
    pub panics: u64,
    /// Passwords hashed or verified, since the start.
    pub computed: u64,
}

struct Shared {
    options: HasherOptions,
    queue: Mutex<Queue>,
    work_arrived: Condvar,
    /// Moving average of what one request takes a worker.
    average_us: AtomicU64,
    buffers: AtomicUsize,
    abandoned: AtomicU64,
    panics: AtomicU64,
    computed: AtomicU64,
}

/// The worker threads. Dropping it lets each finish what it computes and refuses what waits.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    pub(super) fn start(options: HasherOptions) -> std::io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                options,
                queue: Mutex::default(),
                work_arrived: Condvar::new(),
                average_us: AtomicU64::new(0),
                buffers: AtomicUsize::new(0),
                abandoned: AtomicU64::new(0),
                panics: AtomicU64::new(0),
                computed: AtomicU64::new(0),
            }),
        };
        for number in 0..options.workers.get() {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || {
                (options.begin)();
                Worker { shared, memory: Memory::default() }.run();
            })?;
        }
        Ok(pool)
    }

    pub(super) fn submit(&self, task: Task) -> Result<(), HashingError> {
        let shared = &self.shared;
        let mut queue = shared.lock();
        if queue.is_closed {
            return Err(HashingError::Closed);
        }
        if queue.waiting.len() >= shared.options.queue {
            shared.drop_abandoned(&mut queue);
        }
        let expected = shared.expected_wait(queue.waiting.len());
        if queue.waiting.len() >= shared.options.queue || expected > shared.options.deadline {
            metrics::counter!("password_hash_refused_total", "reason" => "queue").increment(1);
            return Err(too_busy(expected));
        }
        queue.waiting.push_back(Waiting { task, since: Instant::now() });
        queue.show_length();
        drop(queue);
        shared.work_arrived.notify_one();
        Ok(())
    }

    pub(super) fn gauges(&self) -> HasherGauges {
        HasherGauges {
            workers: self.shared.options.workers.get(),
            waiting: self.shared.lock().waiting.len(),
            buffers: self.shared.buffers.load(Ordering::Relaxed),
            abandoned: self.shared.abandoned.load(Ordering::Relaxed),
            panics: self.shared.panics.load(Ordering::Relaxed),
            computed: self.shared.computed.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
impl Pool {
    pub(super) fn pretend_requests_take(&self, time: Duration) {
        self.shared.average_us.store(0, Ordering::Relaxed);
        self.shared.learn(time);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closed = true;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        self.shared.work_arrived.notify_all();
        for Waiting { task, .. } in waiting {
            task.refuse(HashingError::Closed);
        }
    }
}

impl Shared {
    /// Nothing panics while it holds this lock, so what a poisoned one guards is sound.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expected_wait(&self, waiting: usize) -> Duration {
        let rounds = u64::try_from(waiting / self.options.workers.get()).unwrap_or(u64::MAX);
        Duration::from_micros(self.average_us.load(Ordering::Relaxed).saturating_mul(rounds))
    }

    fn drop_abandoned(&self, queue: &mut Queue) {
        let before = queue.waiting.len();
        queue.waiting.retain(|waiting| waiting.task.is_wanted());
        self.count_abandoned((before - queue.waiting.len()) as u64);
    }

    fn count_abandoned(&self, count: u64) {
        self.abandoned.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("password_hash_abandoned_total").increment(count);
    }

    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let average = self.average_us.load(Ordering::Relaxed);
        // Two workers at once may lose one of two samples, which does not matter to an average.
        self.average_us.store(if average == 0 { took } else { average - average / 8 + took / 8 }, Ordering::Relaxed);
    }
}

fn too_busy(expected: Duration) -> HashingError {
    let seconds = u32::try_from(expected.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
    HashingError::TooBusy { retry_after_seconds: seconds.clamp(1, 30) }
}

struct Worker {
    shared: Arc<Shared>,
    memory: Memory,
}

impl Worker {
    fn run(mut self) {
        while let Some(Waiting { task, since }) = self.wait_for_work() {
            let waited = since.elapsed();
            metrics::histogram!("password_hash_queue_seconds").record(waited);
            if !task.is_wanted() {
                self.shared.count_abandoned(1);
            } else if waited > self.shared.options.deadline {
                metrics::counter!("password_hash_refused_total", "reason" => "deadline").increment(1);
                task.refuse(too_busy(waited));
            } else {
                self.work_on(task);
            }
        }
        self.release_memory();
    }

    fn wait_for_work(&mut self) -> Option<Waiting> {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.lock();
        loop {
            if let Some(next) = queue.waiting.pop_front() {
                queue.show_length();
                return Some(next);
            }
            if queue.is_closed {
                return None;
            }
            if !self.memory.is_held() {
                queue = shared.work_arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) =
                shared.work_arrived.wait_timeout(queue, shared.options.idle).unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            if waited.timed_out() && queue.waiting.is_empty() {
                drop(queue);
                self.release_memory();
                queue = shared.lock();
            }
        }
    }

    fn work_on(&mut self, task: Task) {
        let parameters = self.shared.options.parameters;
        let start = Instant::now();
        match task {
            Task::Hash { password, salt, answer } => {
                let result = self.catch(|memory| work::hash(&password, salt, parameters, memory));
                self.measure(start, "hash");
                send(answer, result);
            }
            Task::Verify { password, stored, answer } => {
                let result = self.catch(|memory| work::verify(&password, stored.as_deref(), parameters, memory));
                self.measure(start, "verify");
                send(answer, result);
            }
            #[cfg(test)]
            Task::Test { work, answer } => {
                let result = self.catch(|_| {
                    work();
                    Ok(())
                });
                send(answer, result);
            }
        }
    }

    /// A panic costs its own request and the buffer it was in, never the worker.
    fn catch<T>(&mut self, work: impl FnOnce(&mut Memory) -> Result<T, HashingError>) -> Result<T, HashingError> {
        let was_held = self.memory.is_held();
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut self.memory)));
        if result.is_err() {
            self.memory.release();
            self.shared.panics.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("password_hash_panics_total").increment(1);
            tracing::error!("a password hash panicked");
        }
        self.memory.release_beyond(self.shared.options.parameters);
        self.count_buffer(was_held);
        result.unwrap_or(Err(HashingError::Failed))
    }

    fn measure(&self, start: Instant, operation: &'static str) {
        let took = start.elapsed();
        self.shared.learn(took);
        self.shared.computed.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!("password_hash_seconds", "operation" => operation).record(took);
    }

    fn release_memory(&mut self) {
        let was_held = self.memory.is_held();
        self.memory.release();
        self.count_buffer(was_held);
    }

    fn count_buffer(&self, was_held: bool) {
        match (was_held, self.memory.is_held()) {
            (false, true) => self.shared.buffers.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.shared.buffers.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}
