//! A closure on its way through an engine, with the caller who waits for its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::Fault;
use crate::{StoreError, Tx};

/// What the engine has to do with what a closure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Commit it.
    Keep,
    /// Roll it back.
    Discard,
}

/// A closure of any result type.
pub(crate) trait Work: Send {
    /// Runs the closure (again) and keeps its result until [`Work::answer`].
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Sends the kept result. Call it only when the fate of the transaction is durable.
    fn answer(self: Box<Self>);
    /// Sends an error in place of a result.
    fn refuse(self: Box<Self>, error: StoreError);
}

pub(crate) struct Closure<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Closure<T, E, F> {
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (caller, answer) = oneshot::channel();
        (Self { work, result: None, caller }, answer)
    }
}

impl<T, E, F> Work for Closure<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Verdict {
        // A panic leaves nothing half-done behind: the transaction is rolled back and the closure borrows nothing.
        let result = match catch_unwind(AssertUnwindSafe(|| (self.work)(tx))) {
            Ok(Ok(_)) if tx.failure().is_some() => {
                Err(fault("aborted", "the closure went on after a failed statement").into())
            }
            Ok(result) => result,
            Err(_) => {
                metrics::counter!("store_panics_total").increment(1);
                Err(fault("panic", "the closure panicked").into())
            }
        };
        let verdict = if result.is_ok() { Verdict::Keep } else { Verdict::Discard };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(fault("order", "answered before it ran").into()));
        // A caller that went away (a closed connection) needs no answer.
        let _ = self.caller.send(result);
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.caller.send(Err(error.into()));
    }
}

fn fault(code: &str, message: &str) -> StoreError {
    Fault::new("closure", code, message).into()
}
