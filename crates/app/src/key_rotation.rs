//! Changing signing keys, with the event that records it.

use doorward_model::id::SigningKeyId;
use doorward_model::time::Timestamp;
use doorward_oidc::jose::Algorithm;
use doorward_store::signing_keys::{self, SigningKey, SigningKeyState};

use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::keys::rotation::{KeyChange, RotationPlan};
use crate::op::Op;
use crate::revocations::RevocationBatch;

/// How many keys are listed: years of rotation.
const LISTED: i64 = 100;

/// A signing key as operators see it: without its halves.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its id, also the `kid` of what it signs.
    pub id: SigningKeyId,
    /// The JOSE name of its algorithm.
    pub algorithm: String,
    /// Where it is in its life.
    pub state: SigningKeyState,
    /// Since when verifiers can know it.
    pub published_at: Timestamp,
    /// From when on it signs.
    pub active_at: Timestamp,
    /// Since when it signs no more.
    pub retired_at: Option<Timestamp>,
    /// From when on nothing it signed is valid.
    pub gone_at: Option<Timestamp>,
}

impl From<SigningKey> for ListedKey {
    fn from(key: SigningKey) -> Self {
        let SigningKey { id, algorithm, state, published_at, active_at, retired_at, gone_at, .. } = key;
        Self { id, algorithm, state, published_at, active_at, retired_at, gone_at }
    }
}

impl App {
    /// The newest signing keys in every state, newest first.
    pub async fn list_keys(&self) -> Result<Vec<ListedKey>, Failure> {
        let rows = self.store.read(|tx| signing_keys::list(tx, LISTED)).await?;
        Ok(rows.into_iter().map(ListedKey::from).collect())
    }

    /// Follows what other nodes did to the keys, and does what the clock asks for.
    pub async fn keep_keys_current(&self, op: &Op) -> Result<Vec<KeyChange>, Failure> {
        self.keys.reload().await?;
        if !self.keys.is_rotation_due(op.now) {
            return Ok(Vec::new());
        }
        let plan = self.plan_rotation(op, self.keys.wanted_keys(op.now)).await?;
        let event = EventDraft::new(op, Action::KeysRotated);
        let changes = self
            .change(move |change| {
                let changes = plan.advance(change.tx)?;
                record(change, &event, &changes)?;
                Ok(changes)
            })
            .await?;
        self.keys.reload().await?;
        Ok(changes)
    }

    /// Begins a rotation of all keys now. In an emergency the new ones sign at once and everything the old ones signed is
    /// dead; otherwise they are published first.
    pub async fn rotate_keys(&self, op: &Op, is_emergency: bool) -> Result<Vec<KeyChange>, Failure> {
        let plan = self.plan_rotation(op, self.keys.settings().algorithms.clone()).await?;
        let compromised = self.keys.active_key();
        let (revocations, now) = (RevocationBatch::new(op), op.now);
        let event = EventDraft::new(op, Action::KeysRotated);
        let changes = self
            .change(move |change| {
                let changes = match compromised.filter(|_| is_emergency) {
                    Some(key) => {
                        let changes = plan.rotate_in_emergency(change.tx, key)?;
                        let killed = changes.iter().filter(|change| change.state == SigningKeyState::Gone);
                        for (number, key) in killed.enumerate() {
                            revocations.insert_key(change, number, key.id, now)?;
                        }
                        changes
                    }
                    None => plan.rotate(change.tx)?,
                };
                record(change, &event, &changes)?;
                Ok(changes)
            })
            .await?;
        self.keys.reload().await?;
        Ok(changes)
    }

    /// Makes the new keys on a thread of their own: an RSA key may take a second.
    async fn plan_rotation(&self, op: &Op, algorithms: Vec<Algorithm>) -> Result<RotationPlan, Failure> {
        let (app, op) = (self.clone(), op.clone());
        let made = tokio::task::spawn_blocking(move || {
            app.keys.plan_rotation(op.now, op.random.as_ref(), &algorithms).map_err(Failure::cryptography)
        });
        made.await.map_err(|error| Failure::internal("making keys", error))?
    }
}

fn record(
    change: &mut crate::change::Change<'_, '_>,
    event: &EventDraft,
    changes: &[KeyChange],
) -> Result<(), Failure> {
    if changes.is_empty() {
        change.quietly();
        return Ok(());
    }
    change.record(&event.clone().keys(changes))
}
