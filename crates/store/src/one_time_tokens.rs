//! Single-use tokens sent to somebody: a password reset, the first administrator's link.

use doorward_model::id::{OneTimeId, UserId};
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// What a token is for. A token of one purpose is nothing to any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Choose a new password.
    PasswordReset,
    /// Become the first administrator.
    FirstAdministrator,
}

impl Purpose {
    const fn text(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::FirstAdministrator => "first_administrator",
        }
    }
}

/// A row of `one_time_tokens`.
#[derive(Clone, Debug)]
pub struct OneTimeToken {
    /// Its id.
    pub id: OneTimeId,
    /// Whom it was made for.
    pub user_id: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

statements! {
    /// Adds a token.
    INSERT = "INSERT INTO one_time_tokens (id, purpose, user_id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    /// Looks without consuming.
    FIND = "SELECT id, user_id, created_at, expires_at FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3";
    /// Consumes a token.
    TAKE = "DELETE FROM one_time_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3 \
            RETURNING id, user_id, created_at, expires_at";
    /// Removes all of one purpose and person.
    DELETE_OF_USER = "DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2";
    /// Removes all of one purpose.
    DELETE_OF_PURPOSE = "DELETE FROM one_time_tokens WHERE purpose = $1";
    /// Removes a batch of tokens past their time.
    DELETE_EXPIRED = "DELETE FROM one_time_tokens WHERE id IN (SELECT id FROM one_time_tokens WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<OneTimeToken, StoreError> {
    let user: Option<String> = row.get(1)?;
    let user_id = user
        .map(|text| UserId::parse(&text).map_err(|_| StoreError::Corrupt("a one-time token names no user")))
        .transpose()?;
    Ok(OneTimeToken { id: column::id(row, 0)?, user_id, created_at: row.get(2)?, expires_at: row.get(3)? })
}

/// Adds a token.
pub fn insert(
    tx: &mut Tx<'_>,
    token: &OneTimeToken,
    purpose: Purpose,
    token_hash: &TokenHash,
) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            (&token.id.to_string()).into(),
            purpose.text().into(),
            token.user_id.map(|id| id.to_string()).as_deref().into(),
            token_hash.as_bytes().as_slice().into(),
            token.created_at.into(),
            token.expires_at.into(),
        ],
        1,
    )
}

/// The token, without consuming it.
pub fn find(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    tx.query_optional(&FIND, &[hash.as_bytes().as_slice().into(), purpose.text().into(), now.into()], read)
}

/// Consumes the token; none when it is unknown, of another purpose, too old or used.
pub fn take(
    tx: &mut Tx<'_>,
    purpose: Purpose,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    tx.query_optional(&TAKE, &[hash.as_bytes().as_slice().into(), purpose.text().into(), now.into()], read)
}

/// Removes every token of this purpose made for `user`.
pub fn delete_of_user(tx: &mut Tx<'_>, purpose: Purpose, user: UserId) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_USER, &[(&user.to_string()).into(), purpose.text().into()])
}

/// Removes every token of this purpose.
pub fn delete_of_purpose(tx: &mut Tx<'_>, purpose: Purpose) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_PURPOSE, &[purpose.text().into()])
}

/// Removes up to `limit` tokens past their time.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}
