//! Keeping a client out, and letting it in again.

use doorward_oidc::client::Rotation;
use doorward_store::{StoreError, clients, device_requests, grants, pushed_requests};

use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::revocations::RevocationBatch;

impl App {
    /// Whether the client's refresh tokens stay the same when it renews; none when there is no such client. One that cannot be
    /// read, and may be removed all the same, is taken for one whose tokens do.
    pub(super) async fn may_keep_tokens(&self, id: &str) -> Option<bool> {
        match self.find_client(id).await {
            Ok(found) => found.map(|registered| registered.client.metadata().rotation == Rotation::Keep),
            Err(_) => Some(true),
        }
    }

    /// Keeps a client out and ends everything that it was granted; false when there is none or it is kept out already.
    pub async fn disable_client(&self, op: &Op, id: &str) -> Result<bool, Failure> {
        let Some(keeps_tokens) = self.may_keep_tokens(id).await else { return Ok(false) };
        let event = EventDraft::new(op, Action::ClientDisabled).subject(id);
        let (id, revocations, now) = (id.to_owned(), RevocationBatch::new(op), op.now);
        self.change(move |change| {
            if !clients::disable(change.tx, &id, now)? {
                change.quietly();
                return Ok(false);
            }
            delete_requests(change, &id)?;
            revocations.insert_removed_client(change, &id, keeps_tokens, now)?;
            grants::revoke_every_of_client(change.tx, &id, now, "client_disabled")?;
            change.record(&event)?;
            Ok(true)
        })
        .await
    }

    /// Lets a client in again, with nothing that it had before; false when there is none or it is not kept out.
    pub async fn enable_client(&self, op: &Op, id: &str) -> Result<bool, Failure> {
        let event = EventDraft::new(op, Action::ClientEnabled).subject(id);
        let (id, now) = (id.to_owned(), op.now);
        self.change(move |change| {
            if !clients::enable(change.tx, &id, now)? {
                change.quietly();
                return Ok(false);
            }
            // What was under way when it was kept out.
            delete_requests(change, &id)?;
            grants::revoke_every_of_client(change.tx, &id, now, "client_disabled")?;
            change.record(&event)?;
            Ok(true)
        })
        .await
    }
}

/// Removes what could still become a grant, before grants are ended: whoever is about to make one of it has either done so or
/// finds nothing. Codes belong to the client's life before it was kept out.
fn delete_requests(change: &mut Change<'_, '_>, id: &str) -> Result<(), StoreError> {
    device_requests::delete_every_of_client(change.tx, id)?;
    pushed_requests::delete_every_of_client(change.tx, id)?;
    Ok(())
}
