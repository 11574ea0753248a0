//! The threads of an engine and how to wait for their end.

use std::sync::Arc;

use tokio::sync::watch;

use crate::StoreError;
use crate::error::Fault;

/// Starts threads and tells when all have ended.
pub(crate) struct Threads {
    alive: Arc<watch::Sender<usize>>,
}

/// Held by a thread while it lives; also counted down when it panics.
struct Alive(Arc<watch::Sender<usize>>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self { alive: Arc::new(watch::Sender::new(0)) }
    }

    pub(crate) fn start(&self, name: String, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        self.alive.send_modify(|count| *count += 1);
        let alive = Alive(Arc::clone(&self.alive));
        let started = std::thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            body();
        });
        match started {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::new("start", "thread", error.to_string()).into()),
        }
    }

    /// Waits until every thread has ended.
    pub(crate) async fn ended(&self) {
        let mut alive = self.alive.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = alive.wait_for(|count| *count == 0).await;
    }
}
