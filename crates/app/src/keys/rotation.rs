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
use doorward_oidc::jose::Algorithm;
use doorward_store::signing_keys::{self, SigningKey, SigningKeyState};
use doorward_store::{StoreError, Tx};

use super::ring::{PRIVATE_KEY, algorithm_of, publish_at};
use super::sealing::{CryptographyFailed, MasterKeys};
use super::{KeySettings, Keys, RELOAD_MARGIN_MS, signature};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Which key.
    pub id: SigningKeyId,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// What became of it.
    pub state: SigningKeyState,
}

/// New keys and the time: all that a rotation may need.
#[derive(Clone)]
pub struct RotationPlan {
    now: Timestamp,
    settings: Arc<KeySettings>,
    new_keys: Vec<(Algorithm, SigningKey)>,
}

impl Keys {
    /// Prepares a rotation at `now` with a new key for each of the algorithms; nothing changes yet. An RSA key takes
    /// long to make: not on a thread that others wait for.
    pub fn plan_rotation(
        &self,
        now: Timestamp,
        random: &dyn Random,
        algorithms: &[Algorithm],
    ) -> Result<RotationPlan, CryptographyFailed> {
        RotationPlan::new(now, &self.settings, &self.masters, random, algorithms)
    }

    /// The algorithms for which [`RotationPlan::advance`] needs a new key at `now`, as far as this node knows.
    pub fn wanted_keys(&self, now: Timestamp) -> Vec<Algorithm> {
        self.ring().wanted(now, &self.settings)
    }

    /// The key that signs our own tokens on this node: what an emergency replaces first.
    pub fn active_key(&self) -> Option<SigningKeyId> {
        self.ring().active(signature::OWN).map(|key| key.material.id)
    }

    /// Whether this node can sign with an algorithm.
    pub fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.ring().active(algorithm).is_some()
    }
}

impl RotationPlan {
    pub(super) fn new(
        now: Timestamp,
        settings: &KeySettings,
        masters: &MasterKeys,
        random: &dyn Random,
        algorithms: &[Algorithm],
    ) -> Result<Self, CryptographyFailed> {
        let make = |algorithm: &Algorithm| {
            let id = SigningKeyId::new(now, random);
            let (private, public_key) = signature::generate(*algorithm)?;
            let key = SigningKey {
                id,
                algorithm: algorithm.as_str().to_owned(),
                state: SigningKeyState::Published,
                public_key,
                private_key_sealed: masters.seal(PRIVATE_KEY, &id.to_string(), &private, random)?,
                published_at: now,
                active_at: now.plus_ms(settings.publish_ms),
                retired_at: None,
                gone_at: None,
            };
            Ok((*algorithm, key))
        };
        let new_keys = algorithms.iter().map(make).collect::<Result<_, CryptographyFailed>>()?;
        Ok(Self { now, settings: Arc::new(settings.clone()), new_keys })
    }

    /// Does what the clock asks for: drops keys that have outlived what they signed, lets a published key sign
    /// once verifiers know it, publishes a successor in time, begins with an algorithm that has no key yet.
    pub fn advance(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> {
        let rows = living(tx)?;
        let mut changes = Vec::new();
        for (algorithm, row) in rows.iter().filter(|(_, row)| row.state == SigningKeyState::Retired) {
            if row.gone_at.is_some_and(|gone_at| self.now >= gone_at) && signing_keys::expire(tx, row.id, self.now)? {
                changes.push(KeyChange { id: row.id, algorithm: *algorithm, state: SigningKeyState::Gone });
            }
        }
        for algorithm in Algorithm::SIGNING {
            let find = |state| {
                let mut of_algorithm = rows.iter().filter(|(of, _)| *of == algorithm).map(|(_, row)| row);
                of_algorithm.find(|row| row.state == state)
            };
            match (find(SigningKeyState::Active), find(SigningKeyState::Published)) {
                (Some(active), Some(published)) if self.now >= published.active_at => {
                    changes.extend(self.replace(tx, algorithm, active, published)?);
                }
                (Some(active), None) if self.now >= publish_at(active.active_at, &self.settings) => {
                    changes.extend(self.publish(tx, algorithm)?);
                }
                (None, _) => changes.extend(self.begin(tx, algorithm)?),
                (Some(_), _) => {}
            }
        }
        Ok(changes)
    }

    /// Publishes successors now, to sign as soon as verifiers know them; nothing for an algorithm with one published
    /// already.
    pub fn rotate(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> {
        let mut changes = Vec::new();
        for (algorithm, _) in &self.new_keys {
            changes.extend(self.publish(tx, *algorithm)?);
        }
        Ok(changes)
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
        changes.push(KeyChange { id: compromised, algorithm: signature::OWN, state: SigningKeyState::Gone });
        // Read after the first write, which waited for whoever else was changing the keys.
        for (algorithm, row) in living(tx)? {
            if signing_keys::kill(tx, row.id, self.now)? {
                changes.push(KeyChange { id: row.id, algorithm, state: SigningKeyState::Gone });
            }
        }
        changes.extend(self.begin_all(tx)?);
        Ok(changes)
    }

    /// Every new key signs at once; none for an algorithm with an active key.
    pub(super) fn begin_all(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyChange>, StoreError> {
        let mut changes = Vec::new();
        for (algorithm, _) in &self.new_keys {
            changes.extend(self.begin(tx, *algorithm)?);
        }
        Ok(changes)
    }

    /// The first key signs at once: nobody can have cached anything. None when there is an active key, or no new one.
    fn begin(&self, tx: &mut Tx<'_>, algorithm: Algorithm) -> Result<Option<KeyChange>, StoreError> {
        let Some(new_key) = self.new_key(algorithm) else { return Ok(None) };
        let first = SigningKey { state: SigningKeyState::Active, active_at: self.now, ..new_key.clone() };
        Ok(signing_keys::insert(tx, &first)?.then_some(KeyChange { id: first.id, algorithm, state: first.state }))
    }

    fn publish(&self, tx: &mut Tx<'_>, algorithm: Algorithm) -> Result<Option<KeyChange>, StoreError> {
        let Some(new_key) = self.new_key(algorithm) else { return Ok(None) };
        let change = KeyChange { id: new_key.id, algorithm, state: new_key.state };
        Ok(signing_keys::insert(tx, new_key)?.then_some(change))
    }

    fn new_key(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        self.new_keys.iter().find(|(of, _)| *of == algorithm).map(|(_, key)| key)
    }

    fn replace(
        &self,
        tx: &mut Tx<'_>,
        algorithm: Algorithm,
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
            KeyChange { id: active.id, algorithm, state: SigningKeyState::Retired },
            KeyChange { id: published.id, algorithm, state: SigningKeyState::Active },
        ])
    }
}

fn living(tx: &mut Tx<'_>) -> Result<Vec<(Algorithm, SigningKey)>, StoreError> {
    let rows = signing_keys::list_living(tx)?;
    Ok(rows.into_iter().filter_map(|row| Some((algorithm_of(&row)?, row))).collect())
}
