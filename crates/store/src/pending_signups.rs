//! Sign-ups that nobody has confirmed. No account exists yet; a row for an address that already has one is
//! kept in the same shape, without link and code, so that both look alike from outside.

use doorward_model::id::SignupId;
use doorward_model::secret::TokenHash;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `pending_signups`.
#[derive(Clone)]
pub struct PendingSignup {
    /// Its id.
    pub id: SignupId,
    /// The address as typed.
    pub email: String,
    /// The form that is compared.
    pub email_canonical: String,
    /// Display name.
    pub name: Option<String>,
    /// Preferred language.
    pub locale: Option<String>,
    /// Hash of the password chosen in the browser that signed up; empty when the address has an account.
    pub phc: String,
    /// The policy that password met.
    pub policy: String,
    /// Hash of the handle that browser holds.
    pub handle_hash: TokenHash,
    /// Hash of the link's token; none when the address has an account.
    pub link_hash: Option<TokenHash>,
    /// When the newest code was mailed; none while none was: such a sign-up has no code that could be guessed.
    pub code_issued_at: Option<Timestamp>,
    /// Codes tried so far.
    pub code_attempts: i64,
    /// When the sign-up was made.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

statements! {
    /// Adds a sign-up.
    INSERT = "INSERT INTO pending_signups (id, email, email_canonical, name, locale, phc, policy, handle_hash, link_hash, \
              code_issued_at, code_attempts, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)";
    /// By the browser's handle.
    FIND_BY_HANDLE = "SELECT id, email, email_canonical, name, locale, phc, policy, handle_hash, link_hash, code_issued_at, code_attempts, \
              created_at, expires_at FROM pending_signups WHERE handle_hash = $1 AND expires_at > $2";
    /// By the link's token.
    FIND_BY_LINK = "SELECT id, email, email_canonical, name, locale, phc, policy, handle_hash, link_hash, code_issued_at, code_attempts, \
              created_at, expires_at FROM pending_signups WHERE link_hash = $1 AND expires_at > $2";
    /// Counts a try of the code, if any is left.
    RESERVE_CODE_ATTEMPT = "UPDATE pending_signups SET code_attempts = code_attempts + 1 \
              WHERE handle_hash = $1 AND expires_at > $2 AND code_attempts < $3 \
              RETURNING id, email, email_canonical, name, locale, phc, policy, handle_hash, link_hash, code_issued_at, code_attempts, \
              created_at, expires_at";
    /// Notes that a newer code was sent.
    RENEW_CODE = "UPDATE pending_signups SET code_issued_at = $2 WHERE id = $1 AND link_hash IS NOT NULL";
    /// Locks every sign-up of an address, always in the same order.
    LOCK_OF_EMAIL = {
        sqlite: "SELECT id FROM pending_signups WHERE email_canonical = $1 ORDER BY id",
        postgres: "SELECT id FROM pending_signups WHERE email_canonical = $1 ORDER BY id FOR UPDATE",
    };
    /// The address behind a browser's handle.
    FIND_EMAIL = "SELECT email_canonical FROM pending_signups WHERE handle_hash = $1";
    /// Consumes a sign-up.
    TAKE = "DELETE FROM pending_signups WHERE id = $1";
    /// Removes every sign-up of an address.
    DELETE_OF_EMAIL = "DELETE FROM pending_signups WHERE email_canonical = $1";
    /// Removes a batch of forgotten rows.
    DELETE_EXPIRED = "DELETE FROM pending_signups WHERE id IN (SELECT id FROM pending_signups WHERE expires_at <= $1 LIMIT $2)";
}

fn read(row: &Row<'_>) -> Result<PendingSignup, StoreError> {
    let handle: [u8; 32] = row.get(7)?;
    let link: Option<[u8; 32]> = row.get(8)?;
    Ok(PendingSignup {
        id: column::id(row, 0)?,
        email: row.get(1)?,
        email_canonical: row.get(2)?,
        name: row.get(3)?,
        locale: row.get(4)?,
        phc: row.get(5)?,
        policy: row.get(6)?,
        handle_hash: TokenHash::from_bytes(handle),
        link_hash: link.map(TokenHash::from_bytes),
        code_issued_at: row.get(9)?,
        code_attempts: row.get(10)?,
        created_at: row.get(11)?,
        expires_at: row.get(12)?,
    })
}

/// Adds `signup`.
pub fn insert(tx: &mut Tx<'_>, signup: &PendingSignup) -> Result<(), StoreError> {
    tx.execute_expecting(
        &INSERT,
        &[
            (&signup.id.to_string()).into(),
            (&signup.email).into(),
            (&signup.email_canonical).into(),
            signup.name.as_deref().into(),
            signup.locale.as_deref().into(),
            (&signup.phc).into(),
            (&signup.policy).into(),
            signup.handle_hash.as_bytes().as_slice().into(),
            signup.link_hash.as_ref().map(|hash| hash.as_bytes().as_slice()).into(),
            signup.code_issued_at.into(),
            signup.created_at.into(),
            signup.expires_at.into(),
        ],
        1,
    )
}

/// The sign-up whose browser holds this handle.
pub fn find_by_handle(
    tx: &mut Tx<'_>,
    handle: &TokenHash,
    now: Timestamp,
) -> Result<Option<PendingSignup>, StoreError> {
    tx.query_optional(&FIND_BY_HANDLE, &[handle.as_bytes().as_slice().into(), now.into()], read)
}

/// The sign-up this link belongs to.
pub fn find_by_link(tx: &mut Tx<'_>, link: &TokenHash, now: Timestamp) -> Result<Option<PendingSignup>, StoreError> {
    tx.query_optional(&FIND_BY_LINK, &[link.as_bytes().as_slice().into(), now.into()], read)
}

/// Counts a try of the code against at most `limit`; none when the sign-up is unknown, forgotten or out of tries.
pub fn reserve_code_attempt(
    tx: &mut Tx<'_>,
    handle: &TokenHash,
    now: Timestamp,
    limit: i64,
) -> Result<Option<PendingSignup>, StoreError> {
    tx.query_optional(&RESERVE_CODE_ATTEMPT, &[handle.as_bytes().as_slice().into(), now.into(), limit.into()], read)
}

/// Notes that a code was mailed at `now`; false when the address had an account at sign-up.
pub fn renew_code(tx: &mut Tx<'_>, id: SignupId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW_CODE, &[(&id.to_string()).into(), now.into()])? == 1)
}

/// Locks every sign-up of an address, for whoever makes its account and forgets them all: of two who confirm at the same moment
/// one waits before it has locked anything that the other needs. On SQLite there is one writer.
pub fn lock_of_email(tx: &mut Tx<'_>, email_canonical: &str) -> Result<(), StoreError> {
    tx.query_all(&LOCK_OF_EMAIL, &[email_canonical.into()], |row| row.get::<String>(0)).map(drop)
}

/// The same for the address of the sign-up with this handle, if there is one.
pub fn lock_of_handle(tx: &mut Tx<'_>, handle: &TokenHash) -> Result<(), StoreError> {
    let email = tx.query_optional(&FIND_EMAIL, &[handle.as_bytes().as_slice().into()], |row| row.get::<String>(0))?;
    email.map_or(Ok(()), |email| lock_of_email(tx, &email))
}

/// Consumes the sign-up; false when somebody else did.
pub fn take(tx: &mut Tx<'_>, id: SignupId) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &[(&id.to_string()).into()])? == 1)
}

/// Removes every sign-up of this address and says how many there were.
pub fn delete_of_email(tx: &mut Tx<'_>, email_canonical: &str) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_EMAIL, &[email_canonical.into()])
}

/// Removes up to `limit` forgotten rows and says how many there were.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}
