//! The keys that sign tokens: `published` → `active` → `retired` → `gone`.
//!
//! Two partial unique indexes allow one published and one active key of an algorithm, so that of several nodes
//! rotating at once one makes the new key and the others find it.

use doorward_model::id::SigningKeyId;
use doorward_model::time::Timestamp;

use crate::{Row, StoreError, Tx, statements};

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// Known to verifiers, signs nothing yet.
    Published,
    /// Signs.
    Active,
    /// Signs nothing more; what it signed is still valid. Its private half is erased.
    Retired,
    /// Nothing it signed is valid.
    Gone,
}

impl SigningKeyState {
    /// The word in the row and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Gone => "gone",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Published, Self::Active, Self::Retired, Self::Gone].into_iter().find(|state| state.as_str() == text)
    }
}

/// A row of `signing_keys`.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id, also the `kid` of what it signs.
    pub id: SigningKeyId,
    /// The JOSE name of its one algorithm.
    pub algorithm: String,
    /// Where it is in its life.
    pub state: SigningKeyState,
    /// The public half.
    pub public_key: Vec<u8>,
    /// The private half, sealed; empty once the key has signed its last.
    pub private_key_sealed: Vec<u8>,
    /// When it became known to verifiers.
    pub published_at: Timestamp,
    /// When it began to sign, or will.
    pub active_at: Timestamp,
    /// When it signed its last.
    pub retired_at: Option<Timestamp>,
    /// From when on nothing it signed is valid.
    pub gone_at: Option<Timestamp>,
}

statements! {
    /// Adds a key unless its algorithm has one in that state.
    INSERT = "INSERT INTO signing_keys (id, algorithm, state, public_key, private_key_sealed, published_at, active_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    /// Those whose signatures may be valid; a handful.
    LIST_LIVING = "SELECT id, algorithm, state, public_key, private_key_sealed, published_at, active_at, retired_at, gone_at \
                   FROM signing_keys WHERE state IN ('published', 'active', 'retired') ORDER BY published_at, id LIMIT 100";
    /// The newest keys in any state.
    LIST = "SELECT id, algorithm, state, public_key, private_key_sealed, published_at, active_at, retired_at, gone_at \
            FROM signing_keys ORDER BY published_at DESC, id DESC LIMIT $1";
    /// A published key begins to sign.
    ACTIVATE = "UPDATE signing_keys SET state = 'active', active_at = $2 WHERE id = $1 AND state = 'published'";
    /// The active key signs no more, and its private half is erased.
    RETIRE = "UPDATE signing_keys SET state = 'retired', retired_at = $2, gone_at = $3, private_key_sealed = $4 \
              WHERE id = $1 AND state = 'active'";
    /// A retired key has outlived what it signed.
    EXPIRE = "UPDATE signing_keys SET state = 'gone' WHERE id = $1 AND state = 'retired' AND gone_at <= $2";
    /// A key and all it signed die at once.
    KILL = "UPDATE signing_keys SET state = 'gone', gone_at = $2, private_key_sealed = $3 WHERE id = $1 AND state <> 'gone'";
    /// Seals a private half again, if it still is as the caller saw it.
    UPDATE_SEALED = "UPDATE signing_keys SET private_key_sealed = $3 WHERE id = $1 AND private_key_sealed = $2";
}

/// What a private half is replaced with.
const ERASED: &[u8] = &[];

fn read(row: &Row<'_>) -> Result<SigningKey, StoreError> {
    let corrupt = StoreError::Corrupt;
    Ok(SigningKey {
        id: SigningKeyId::parse(&row.get::<String>(0)?).map_err(|_| corrupt("a signing key has no id of its kind"))?,
        algorithm: row.get(1)?,
        state: SigningKeyState::parse(&row.get::<String>(2)?)
            .ok_or_else(|| corrupt("a signing key is in no known state"))?,
        public_key: row.get(3)?,
        private_key_sealed: row.get(4)?,
        published_at: row.get(5)?,
        active_at: row.get(6)?,
        retired_at: row.get(7)?,
        gone_at: row.get(8)?,
    })
}

/// Adds a published or active `key`; false when its algorithm has a key in that state, which stays.
pub fn insert(tx: &mut Tx<'_>, key: &SigningKey) -> Result<bool, StoreError> {
    Ok(tx.execute(
        &INSERT,
        &[
            (&key.id.to_string()).into(),
            (&key.algorithm).into(),
            key.state.as_str().into(),
            (&key.public_key).into(),
            (&key.private_key_sealed).into(),
            key.published_at.into(),
            key.active_at.into(),
        ],
    )? == 1)
}

/// The keys whose signatures may be valid, oldest first.
pub fn list_living(tx: &mut Tx<'_>) -> Result<Vec<SigningKey>, StoreError> {
    tx.query_all(&LIST_LIVING, &[], read)
}

/// Up to `limit` keys in any state, newest first.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<SigningKey>, StoreError> {
    tx.query_all(&LIST, &[limit.into()], read)
}

/// A published key begins to sign; exactly this must happen, so another outcome is an error.
pub fn activate(tx: &mut Tx<'_>, id: SigningKeyId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute_expecting(&ACTIVATE, &[(&id.to_string()).into(), now.into()], 1)
}

/// The active key signs no more; false when it was not active.
pub fn retire(tx: &mut Tx<'_>, id: SigningKeyId, now: Timestamp, gone_at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&RETIRE, &[(&id.to_string()).into(), now.into(), gone_at.into(), ERASED.into()])? == 1)
}

/// A retired key whose `gone_at` has come is gone; false when that is not so.
pub fn expire(tx: &mut Tx<'_>, id: SigningKeyId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&EXPIRE, &[(&id.to_string()).into(), now.into()])? == 1)
}

/// A key and all it signed die now; false when it was gone.
pub fn kill(tx: &mut Tx<'_>, id: SigningKeyId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&KILL, &[(&id.to_string()).into(), now.into(), ERASED.into()])? == 1)
}

/// Stores the private half sealed anew; false when somebody else did so, or erased it, meanwhile.
pub fn update_sealed(tx: &mut Tx<'_>, seen: &SigningKey, sealed: &[u8]) -> Result<bool, StoreError> {
    Ok(tx
        .execute(&UPDATE_SEALED, &[(&seen.id.to_string()).into(), (&seen.private_key_sealed).into(), sealed.into()])?
        == 1)
}
