//! Registered clients and their secrets.

use std::collections::BTreeSet;

use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::{Row, StoreError, Tx, statements};

/// A row of `clients`.
#[derive(Clone, Debug)]
pub struct ClientRow {
    /// Its id, the `client_id` of requests.
    pub id: String,
    /// What is registered of it, as a JSON object in the form of RFC 7591.
    pub metadata: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// Set while an operator keeps it out.
    pub disabled_at: Option<Timestamp>,
}

/// A secret of a client, without the secret.
#[derive(Clone, Copy, Debug)]
pub struct SecretRow {
    /// Its hash.
    pub hash: TokenHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; none until it is rotated.
    pub expires_at: Option<Timestamp>,
}

statements! {
    /// Registers a client.
    INSERT = "INSERT INTO clients (id, metadata, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    /// By id.
    FIND = "SELECT id, metadata, created_at, updated_at, disabled_at FROM clients WHERE id = $1";
    /// By id, with its secrets that are good.
    FIND_WITH_SECRETS = "SELECT c.id, c.metadata, c.created_at, c.updated_at, c.disabled_at, s.secret_hash FROM clients c \
                    LEFT JOIN client_secrets s ON s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > $2) WHERE c.id = $1";
    /// A page of clients, in the order of their ids.
    LIST = "SELECT id, metadata, created_at, updated_at, disabled_at FROM clients WHERE id > $1 ORDER BY id LIMIT $2";
    /// Replaces what is registered, if it is still what the caller saw.
    UPDATE = "UPDATE clients SET metadata = $3, updated_at = $4 WHERE id = $1 AND metadata = $2";
    /// Keeps a client out that is not kept out yet.
    DISABLE = "UPDATE clients SET disabled_at = $2, updated_at = $2, generation = generation + 1 WHERE id = $1 AND disabled_at IS NULL";
    /// Lets a client in again. What a request that began before it was kept out was given meanwhile is over as well.
    ENABLE = "UPDATE clients SET disabled_at = NULL, updated_at = $2, generation = generation + 1 WHERE id = $1 AND disabled_at IS NOT NULL";
    /// Whether a client is let in, and which life of it this is. It stays so until the transaction ends.
    HOLD = {
        sqlite: "SELECT generation, disabled_at FROM clients WHERE id = $1",
        postgres: "SELECT generation, disabled_at FROM clients WHERE id = $1 FOR SHARE",
    };
    /// Removes a client and everything that hangs on it.
    DELETE = "DELETE FROM clients WHERE id = $1";
    /// Moves a client's row, so that two rotations of its secret come one after the other.
    TOUCH = "UPDATE clients SET updated_at = $2 WHERE id = $1";
    /// Adds a secret.
    INSERT_SECRET = "INSERT INTO client_secrets (client_id, secret_hash, created_at) VALUES ($1, $2, $3)";
    /// The secrets of a client that are good, the newest first.
    LIST_SECRETS = "SELECT secret_hash, created_at, expires_at FROM client_secrets WHERE client_id = $1 \
                    AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, secret_hash";
    /// The secret that is not being replaced.
    FIND_CURRENT_SECRET = "SELECT secret_hash FROM client_secrets WHERE client_id = $1 AND expires_at IS NULL";
    /// Lets the one secret without an end run out.
    EXPIRE_SECRET = "UPDATE client_secrets SET expires_at = $2 WHERE client_id = $1 AND expires_at IS NULL";
    /// Removes the secrets that run out already: of an overlap at most two are good.
    DELETE_ENDING_SECRETS = "DELETE FROM client_secrets WHERE client_id = $1 AND expires_at IS NOT NULL";
    /// Removes every secret of a client.
    DELETE_SECRETS = "DELETE FROM client_secrets WHERE client_id = $1";
    /// Lets an origin's scripts call for a client.
    INSERT_ORIGIN = "INSERT INTO client_origins (origin, client_id) VALUES ($1, $2)";
    /// Removes a client's origins.
    DELETE_ORIGINS = "DELETE FROM client_origins WHERE client_id = $1";
    /// Whether a client that is not kept out has this origin.
    HAS_ORIGIN = "SELECT o.client_id FROM client_origins o JOIN clients c ON c.id = o.client_id \
                  WHERE o.origin = $1 AND c.disabled_at IS NULL LIMIT 1";
    /// Removes a batch of secrets past their time.
    DELETE_EXPIRED_SECRETS = "DELETE FROM client_secrets WHERE (client_id, secret_hash) IN (SELECT client_id, secret_hash \
                    FROM client_secrets WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<ClientRow, StoreError> {
    Ok(ClientRow {
        id: row.get(0)?,
        metadata: row.get(1)?,
        created_at: row.get(2)?,
        updated_at: row.get(3)?,
        disabled_at: row.get(4)?,
    })
}

/// Registers `client`; its `created_at` is also when it last changed.
pub fn insert(tx: &mut Tx<'_>, client: &ClientRow) -> Result<(), StoreError> {
    tx.execute_expecting(&INSERT, &[(&client.id).into(), (&client.metadata).into(), client.created_at.into()], 1)
}

/// The client with this id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<ClientRow>, StoreError> {
    tx.query_optional(&FIND, &[id.into()], read)
}

/// The client with this id, and the hashes of its secrets that are good at `now`.
pub fn find_with_secrets(
    tx: &mut Tx<'_>,
    id: &str,
    now: Timestamp,
) -> Result<Option<(ClientRow, Vec<TokenHash>)>, StoreError> {
    let mut client = None;
    // Of an overlap at most two are good, so hardly any row is read twice.
    let hashes = tx.query_all(&FIND_WITH_SECRETS, &[id.into(), now.into()], |row| {
        if client.is_none() {
            client = Some(read(row)?);
        }
        let hash: Option<[u8; 32]> = row.get(5)?;
        Ok(hash.map(TokenHash::from_bytes))
    })?;
    Ok(client.map(|client| (client, hashes.into_iter().flatten().collect())))
}

/// Up to `limit` clients whose ids come after `after` (empty: from the first on).
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<ClientRow>, StoreError> {
    tx.query_all(&LIST, &[after.into(), limit.into()], read)
}

/// Replaces the metadata `seen` by `metadata`; false when the client is gone or has changed meanwhile.
pub fn update(tx: &mut Tx<'_>, id: &str, seen: &str, metadata: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&UPDATE, &[id.into(), seen.into(), metadata.into(), now.into()])? == 1)
}

/// Keeps the client out; false when there is none or it is kept out already.
pub fn disable(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&DISABLE, &[id.into(), now.into()])? == 1)
}

/// Lets the client in again; false when there is none or it is not kept out.
pub fn enable(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&ENABLE, &[id.into(), now.into()])? == 1)
}

/// Whether the client is let in, and was not kept out since its row had this generation; whoever keeps it out waits until
/// the transaction ends.
pub fn hold(tx: &mut Tx<'_>, id: &str, generation: i64) -> Result<bool, StoreError> {
    Ok(find_held(tx, id)? == Some((generation, None)))
}

/// Whether there is such a client; whoever removes it waits until the transaction ends.
pub fn hold_registered(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(find_held(tx, id)?.is_some())
}

fn find_held(tx: &mut Tx<'_>, id: &str) -> Result<Option<(i64, Option<Timestamp>)>, StoreError> {
    tx.query_optional(&HOLD, &[id.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes the client, its secrets and grants; false when there is none.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, &[id.into()])? == 1)
}

/// Locks the client's row until the transaction ends; false when there is none.
pub fn touch(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&TOUCH, &[id.into(), now.into()])? == 1)
}

/// Adds a secret without an end.
pub fn insert_secret(tx: &mut Tx<'_>, client: &str, hash: &TokenHash, now: Timestamp) -> Result<(), StoreError> {
    tx.execute_expecting(&INSERT_SECRET, &[client.into(), hash.as_bytes().as_slice().into(), now.into()], 1)
}

/// Replaces the current secret, which stays good until `until`; one that was running out already goes now. The caller
/// holds the lock of the client's row ([`touch`]).
pub fn rotate_secret(
    tx: &mut Tx<'_>,
    client: &str,
    hash: &TokenHash,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&DELETE_ENDING_SECRETS, &[client.into()])?;
    tx.execute(&EXPIRE_SECRET, &[client.into(), until.into()])?;
    insert_secret(tx, client, hash, now)
}

/// The secrets that are good at `now`, the newest first.
pub fn list_secrets(tx: &mut Tx<'_>, client: &str, now: Timestamp) -> Result<Vec<SecretRow>, StoreError> {
    tx.query_all(&LIST_SECRETS, &[client.into(), now.into()], |row| {
        let hash: [u8; 32] = row.get(0)?;
        Ok(SecretRow { hash: TokenHash::from_bytes(hash), created_at: row.get(1)?, expires_at: row.get(2)? })
    })
}

/// The client's secret, if it has one that is not being replaced.
pub fn find_current_secret(tx: &mut Tx<'_>, client: &str) -> Result<Option<TokenHash>, StoreError> {
    tx.query_optional(&FIND_CURRENT_SECRET, &[client.into()], |row| Ok(TokenHash::from_bytes(row.get(0)?)))
}

/// Removes every secret of the client.
pub fn delete_secrets(tx: &mut Tx<'_>, client: &str) -> Result<u64, StoreError> {
    tx.execute(&DELETE_SECRETS, &[client.into()])
}

/// Replaces the origins whose scripts call for the client; none stands twice.
pub fn replace_origins(tx: &mut Tx<'_>, client: &str, origins: &BTreeSet<String>) -> Result<(), StoreError> {
    tx.execute(&DELETE_ORIGINS, &[client.into()])?;
    for origin in origins {
        tx.execute_expecting(&INSERT_ORIGIN, &[origin.into(), client.into()], 1)?;
    }
    Ok(())
}

/// Whether scripts of this origin call for a client that is not kept out.
pub fn has_origin(tx: &mut Tx<'_>, origin: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(&HAS_ORIGIN, &[origin.into()], |row| row.get::<String>(0))?.is_some())
}

/// Removes up to `limit` secrets past their time.
pub fn delete_expired_secrets(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED_SECRETS, &[now.into(), limit.into()])
}
