//! Password hashing: Argon2id on a few threads of its own, so that it never slows anything else and never takes more
//! memory than it was given.
//!
//! Each worker keeps one buffer while there is work and gives it back when idle. Requests wait in a bounded queue; one
//! that would wait too long is refused at once ([`HashingError::TooBusy`]), one whose caller went away is skipped.

mod parameters;
mod pool;
mod work;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use doorward_model::password::Password;
use thiserror::Error;
use tokio::sync::oneshot;

pub use parameters::{HashParameters, HashParametersError};
pub use pool::HasherGauges;
use pool::{Pool, Task};

/// How the hasher runs.
#[derive(Clone, Copy, Debug)]
pub struct HasherOptions {
    /// What a hash costs.
    pub parameters: HashParameters,
    /// How many hashes are computed at the same time: that many threads, that many buffers.
    pub workers: NonZeroUsize,
    /// How many requests may wait.
    pub queue: usize,
    /// How long a request may wait before it is refused.
    pub deadline: Duration,
    /// How long a worker keeps its buffer without work.
    pub idle: Duration,
    /// What each worker does first, such as standing back behind threads that only need a moment.
    pub begin: fn(),
}

impl HasherOptions {
    /// One worker a core, as far as `memory_budget_bytes` goes, but at least one.
    pub fn for_machine(parameters: HashParameters, cores: NonZeroUsize, memory_budget_bytes: u64) -> Self {
        let affordable = usize::try_from(memory_budget_bytes / parameters.memory_bytes()).unwrap_or(usize::MAX);
        Self {
            parameters,
            workers: NonZeroUsize::new(affordable).unwrap_or(NonZeroUsize::MIN).min(cores),
            queue: 1_024,
            deadline: Duration::from_secs(5),
            idle: Duration::from_secs(10),
            begin: || {},
        }
    }
}

/// The answer to "is this the password?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is.
    pub matches: bool,
    /// Whether the stored hash was made with other parameters than the current ones: a sign-in that matches stores a
    /// new one. Never true without a stored hash.
    pub needs_rehash: bool,
}

/// Why there is no hash and no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HashingError {
    /// Too many requests wait, or this one waited too long: the caller answers 503 `too_busy`.
    #[error("too many passwords are being hashed")]
    TooBusy {
        /// When it is worth trying again.
        retry_after_seconds: u32,
    },
    /// What is stored is not an Argon2 hash: a damaged row.
    #[error("the stored password hash cannot be read")]
    UnreadableHash,
    /// The computation failed: a defect, logged and counted where it happened.
    #[error("hashing failed")]
    Failed,
    /// The hasher was closed: the process is stopping.
    #[error("the hasher is closed")]
    Closed,
}

/// Hashes and verifies passwords. Clones share the same workers, which end with the last clone.
#[derive(Clone)]
pub struct Hasher {
    pool: Arc<Pool>,
}

impl Hasher {
    /// Starts the worker threads. Buffers are allocated when there is work.
    pub fn start(options: HasherOptions) -> std::io::Result<Self> {
        Ok(Self { pool: Arc::new(Pool::start(options)?) })
    }

    /// A new hash in PHC form, with the current parameters.
    pub async fn hash(&self, password: Password, salt: [u8; 16]) -> Result<String, HashingError> {
        self.ask(|answer| Task::Hash { password, salt, answer }).await
    }

    /// Compares a password with a stored hash. `None` (no such account, or one without a password) costs the same and
    /// never matches; so does a stored hash with cheaper parameters. One with *greater* parameters costs more until its
    /// owner's next sign-in: after lowering the parameters, sign-in times tell such accounts apart for that long.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<Verdict, HashingError> {
        self.ask(|answer| Task::Verify { password, stored, answer }).await
    }

    /// What the hasher is doing, for metrics and tests.
    pub fn gauges(&self) -> HasherGauges {
        self.pool.gauges()
    }

    async fn ask<T>(
        &self,
        task: impl FnOnce(oneshot::Sender<Result<T, HashingError>>) -> Task,
    ) -> Result<T, HashingError> {
        let (answer, answered) = oneshot::channel();
        self.pool.submit(task(answer))?;
        answered.await.unwrap_or(Err(HashingError::Closed))
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("gauges", &self.gauges()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
