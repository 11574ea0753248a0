//! One change, one transaction, one event: the only way use cases write.

use doorward_model::id::DeliveryId;
use doorward_store::{Tx, deliveries, events};

use crate::App;
use crate::delivery::{LOGOUT, MAIL};
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::post::Parcel;

/// What the metrics say of an event.
struct Counted {
    action: String,
    outcome: String,
}

impl Counted {
    fn count(self) {
        if self.action == Action::UserCreated.text() {
            metrics::counter!("users_created_total").increment(1);
        }
        metrics::counter!("events_total", "action" => self.action, "outcome" => self.outcome).increment(1);
    }
}

/// A transaction that counts the events it records.
pub(crate) struct Change<'c, 't> {
    /// The transaction itself.
    pub(crate) tx: &'c mut Tx<'t>,
    recorded: u32,
    /// What is counted once the change is durable.
    counted: Option<Counted>,
    quiet: bool,
    has_revoked: bool,
}

impl Change<'_, '_> {
    /// Appends the event that records this change.
    pub(crate) fn record(&mut self, event: &EventDraft) -> Result<(), Failure> {
        events::append(self.tx, event.row())?;
        self.recorded += 1;
        self.counted = Some(Counted { action: event.row().action.clone(), outcome: event.row().outcome.clone() });
        Ok(())
    }

    /// Queues a mail that follows from `event`, which must have been recorded before.
    pub(crate) fn post(&mut self, event: &EventDraft, parcel: &Parcel) -> Result<(), Failure> {
        let id: DeliveryId = parcel.id;
        deliveries::insert(self.tx, id, event.row().id, MAIL, &parcel.sealed, event.row().at)?;
        Ok(())
    }

    /// Queues a message to a client that follows from `event`, which must have been recorded before.
    pub(crate) fn post_logout(&mut self, event: &EventDraft, parcel: &Parcel) -> Result<(), Failure> {
        deliveries::insert(self.tx, parcel.id, event.row().id, LOGOUT, &parcel.sealed, event.row().at)?;
        Ok(())
    }

    /// Says that entries of the revocation list are among what is written.
    pub(crate) fn note_revocation(&mut self) {
        self.has_revoked = true;
    }

    /// Says that nothing happened that deserves an event: a refusal counted elsewhere, a repetition within the
    /// same minute, a lost race. Counters and `last_seen` may still have moved.
    pub(crate) fn quietly(&mut self) {
        self.quiet = true;
    }
}

impl App {
    /// Runs `work` in one write transaction. The commit is refused unless `work` recorded exactly one event or
    /// said that there is none to record. `work` may run more than once, so ids, times and tokens are made
    /// before it.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, Failure>
    where
        F: Fn(&mut Change<'_, '_>) -> Result<T, Failure> + Send + 'static,
        T: Send + 'static,
    {
        let (done, counted, has_revoked) = self
            .store
            .write(move |tx| {
                let mut change = Change { tx, recorded: 0, counted: None, quiet: false, has_revoked: false };
                let done = work(&mut change)?;
                match (change.recorded, change.quiet) {
                    (1, false) | (0, true) => Ok((done, change.counted, change.has_revoked)),
                    (recorded, _) => Err(Failure::Unrecorded { recorded }),
                }
            })
            .await?;
        // Only now is it durable, and the closure may have run more than once.
        if let Some(counted) = counted {
            counted.count();
        }
        if has_revoked {
            self.revocations.note_written();
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
