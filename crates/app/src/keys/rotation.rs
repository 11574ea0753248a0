//! Rotation of signing keys. A new key is known to verifiers before it signs; the old one stays known until what
//! it signed has expired; an emergency waits for nothing.
//!
//! A [`RotationPlan`] is made before the transaction and carried out in it, beside the event that records what
//! changed. Every step is a conditional write, so of several nodes acting at once one makes the change and the
//! others see that there is nothing left to do. Afterwards every node calls [`super::Keys::reload`].

use std::sync::Arc;

use doorward_model::id::SigningKeyId;
use doorward_model::random::Random;
use doorward_model::time::Timestamp;
use doorward_store::signing_keys::{self, SigningKey, SigningKeyState};
use doorward_store::{StoreError, Tx};

use super::ring::{PRIVATE_KEY, publish_at};
use super::sealing::{CryptographyFailed, MasterKeys};
use super::{KeySettings, Keys, RELOAD_MARGIN_MS, signature};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Which key.
    pub id: SigningKeyId,
    /// What became of it.
    pub state: SigningKeyState,
}

/// A new key and the time: all that a rotation may need.
#[derive(Clone)]
pub struct RotationPlan {
    now: Timestamp,
    settings: Arc<KeySettings>,
    new_key: SigningKey,
}

impl Keys {
    /// Prepares a rotation at `now`; nothing changes yet.
    pub fn plan_rotation(&self, now: Timestamp, random: &dyn Random) -> Result<RotationPlan, CryptographyFailed> {
        RotationPlan::new(now, &self.settings, &self.masters, random)
    }

    /// The key that signs on this node: what an emergency replaces.
    pub fn active_key(&self) -> Option<SigningKeyId> {
        self.ring().active().map(|key| key.material.id)
    }
}

impl RotationPlan {
    pub(super) fn new(
        now: Timestamp,
        settings: &KeySettings,
        masters: &MasterKeys,
        random: &dyn Random,
    ) -> Result<Self, CryptographyFailed> {
        let id = SigningKeyId::new(now, random);
        let (private, point) = signature::generate()?;
        let new_key = SigningKey {
            id,
            algorithm: signature::ALGORITHM.to_owned(),
            state: SigningKeyState::Published,
            public_key: point.to_vec(),
            private_key_sealed: masters.seal(PRIVATE_KEY, &id.to_string(), &private, random)?,
            published_at: now,
            active_at: now.plus_ms(settings.publish_ms),
            retired_at: None,
            gone_at: None,
        };
        Ok(Self { now, settings: Arc::new(settings.clone()), new_key })
    }

    /// Does what the clock asks for: drops keys that have outlived what they signed, lets a published key sign
    /// once verifiers know it, publishes a successor in time.
    pub fn advance(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> {
        let rows = living(tx)?;
        let mut changes = Vec::new();
        for row in rows.iter().filter(|row| row.state == SigningKeyState::Retired) {
            if row.gone_at.is_some_and(|gone_at| self.now >= gone_at) && signing_keys::expire(tx, row.id, self.now)? {
                changes.push(KeyChange { id: row.id, state: SigningKeyState::Gone });
            }
        }
        let find = |state| rows.iter().find(|row| row.state == state);
        match (find(SigningKeyState::Active), find(SigningKeyState::Published)) {
            (Some(active), Some(published)) if self.now >= published.active_at => {
                changes.extend(self.replace(tx, active, published)?);
            }
            (Some(active), None) if self.now >= publish_at(active.active_at, &self.settings) => {
                changes.extend(self.publish(tx)?);
            }
            (None, _) => changes.extend(self.begin(tx)?),
            (Some(_), _) => {}
        }
        Ok(changes)
    }

    /// Publishes a successor now, to sign as soon as verifiers know it; nothing when one is published already.
    pub fn rotate(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> {
        Ok(self.publish(tx)?.into_iter().collect())
    }

    /// Replaces every key at once; all they signed is dead. Nothing when `compromised`, the key in use when the
    /// emergency was declared, is gone already: somebody else has done it.
    pub fn rotate_in_emergency(
        &self,
        tx: &mut Tx<'_>,
        compromised: SigningKeyId,
    ) -> Result<Vec<KeyChange>, StoreError> {
        let mut changes = Vec::new();
        if !signing_keys::kill(tx, compromised, self.now)? {
            return Ok(changes);
        }
        changes.push(KeyChange { id: compromised, state: SigningKeyState::Gone });
        // Read after the first write, which waited for whoever else was changing the keys.
        for row in living(tx)? {
            if signing_keys::kill(tx, row.id, self.now)? {
                changes.push(KeyChange { id: row.id, state: SigningKeyState::Gone });
            }
        }
        changes.extend(self.begin(tx)?);
        Ok(changes)
    }

    /// The first key signs at once: nobody can have cached anything. None when there is an active key.
    pub(super) fn begin(&self, tx: &mut Tx<'_>) -> Result<Option<KeyChange>, StoreError> {
        let first = SigningKey { state: SigningKeyState::Active, active_at: self.now, ..self.new_key.clone() };
        Ok(signing_keys::insert(tx, &first)?.then_some(KeyChange { id: first.id, state: first.state }))
    }

    fn publish(&self, tx: &mut Tx<'_>) -> Result<Option<KeyChange>, StoreError> {
        let (id, state) = (self.new_key.id, self.new_key.state);
        Ok(signing_keys::insert(tx, &self.new_key)?.then_some(KeyChange { id, state }))
    }

    fn replace(
        &self,
        tx: &mut Tx<'_>,
        active: &SigningKey,
        published: &SigningKey,
    ) -> Result<Vec<KeyChange>, StoreError> {
        // A node that has not noticed yet may sign a little longer.
        let gone_at = self.now.plus_ms(self.settings.access_token_ms).plus_ms(RELOAD_MARGIN_MS);
        if !signing_keys::retire(tx, active.id, self.now, gone_at)? {
            return Ok(Vec::new());
        }
        signing_keys::activate(tx, published.id, self.now)?;
        Ok(vec![
            KeyChange { id: active.id, state: SigningKeyState::Retired },
            KeyChange { id: published.id, state: SigningKeyState::Active },
        ])
    }
}

fn living(tx: &mut Tx<'_>) -> Result<Vec<SigningKey>, StoreError> {
    let mut rows = signing_keys::list_living(tx)?;
    rows.retain(|row| row.algorithm == signature::ALGORITHM);
    Ok(rows)
}
