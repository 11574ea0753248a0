//! People with an account.

use doorward_model::id::UserId;
use doorward_model::time::Timestamp;

use crate::column;
use crate::{Row, StoreError, Tx, statements};

/// A row of `users`.
#[derive(Clone, Debug)]
pub struct User {
    /// The stable id; the `sub` of tokens.
    pub id: UserId,
    /// The address as typed at sign-up: where mail goes.
    pub email: String,
    /// The one form that is compared.
    pub email_canonical: String,
    /// When somebody proved to read that mailbox.
    pub email_verified_at: Option<Timestamp>,
    /// Display name.
    pub name: Option<String>,
    /// Preferred language.
    pub locale: Option<String>,
    /// Whether they administer this deployment.
    pub is_admin: bool,
    /// Set while an operator keeps them out.
    pub disabled_at: Option<Timestamp>,
    /// When they last signed in.
    pub last_signed_in_at: Option<Timestamp>,
    /// When the account came to be.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// A user who has nothing but an address yet.
    pub fn new(id: UserId, email: String, email_canonical: String, now: Timestamp) -> Self {
        Self {
            id,
            email,
            email_canonical,
            email_verified_at: None,
            name: None,
            locale: None,
            is_admin: false,
            disabled_at: None,
            last_signed_in_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// A user together with the password that a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct UserWithPassword {
    /// The user.
    pub user: User,
    /// The stored hash and when it was set; none for an account without a password.
    pub password: Option<StoredPassword>,
}

/// The stored part of a password.
#[derive(Clone)]
pub struct StoredPassword {
    /// The hash in PHC string format.
    pub phc: String,
    /// When the person set it. Rehashing keeps this, so it identifies the password, not the hash.
    pub set_at: Timestamp,
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredPassword").field("set_at", &self.set_at).finish_non_exhaustive()
    }
}

statements! {
    /// Adds a user unless the address is taken.
    INSERT = "INSERT INTO users (id, email, email_canonical, email_verified_at, name, locale, is_admin, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (email_canonical) DO NOTHING";
    /// By id.
    FIND = "SELECT id, email, email_canonical, email_verified_at, name, locale, is_admin, disabled_at, last_signed_in_at, created_at, updated_at \
            FROM users WHERE id = $1";
    /// By address, with the password.
    FIND_WITH_PASSWORD = "SELECT u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.locale, u.is_admin, u.disabled_at, \
            u.last_signed_in_at, u.created_at, u.updated_at, p.phc, p.set_at \
            FROM users u LEFT JOIN passwords p ON p.user_id = u.id WHERE u.email_canonical = $1";
    /// A page of users, oldest first.
    LIST = "SELECT id, email, email_canonical, email_verified_at, name, locale, is_admin, disabled_at, last_signed_in_at, created_at, updated_at \
            FROM users WHERE id > $1 ORDER BY id LIMIT $2";
    /// Whether anybody can administer the deployment.
    ANY_ADMIN = "SELECT id FROM users WHERE is_admin AND disabled_at IS NULL LIMIT 1";
    /// Changes what the person may change themselves, and only what they named: two changes at once both count.
    UPDATE_PROFILE = "UPDATE users SET name = CASE WHEN CAST($2 AS BIGINT) = 1 THEN $3 ELSE name END, locale = COALESCE($4, locale), \
            updated_at = $5 WHERE id = $1 AND disabled_at IS NULL \
            RETURNING id, email, email_canonical, email_verified_at, name, locale, is_admin, disabled_at, last_signed_in_at, created_at, updated_at";
    /// Keeps a user out, if they are not kept out already.
    DISABLE = "UPDATE users SET disabled_at = $2, updated_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    /// Lets a user in again.
    ENABLE = "UPDATE users SET disabled_at = NULL, updated_at = $2 WHERE id = $1 AND disabled_at IS NOT NULL";
    /// Marks a sign-in.
    MARK_SIGNED_IN = "UPDATE users SET last_signed_in_at = $2 WHERE id = $1";
    /// Sets a password, replacing any other.
    UPSERT_PASSWORD = "INSERT INTO passwords (user_id, phc, policy, set_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, policy = excluded.policy, set_at = excluded.set_at";
    /// Touches the user's row.
    TOUCH = "UPDATE users SET updated_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    /// Takes the row's lock and changes nothing: sign-ins and changes of the password happen one after the other.
    LOCK = {
        sqlite: "SELECT id FROM users WHERE id = $1 AND disabled_at IS NULL",
        postgres: "SELECT id FROM users WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE",
    };
    /// Whether the password set at `$2` is still the account's. A statement of its own, after the lock: at READ
    /// COMMITTED a statement that waited for a lock looks at *other* rows as they were before it waited.
    HAS_PASSWORD_SET_AT = "SELECT set_at FROM passwords WHERE user_id = $1 AND set_at = $2";
    /// Replaces the hash of an unchanged password by one with newer parameters.
    REHASH_PASSWORD = "UPDATE passwords SET phc = $3 WHERE user_id = $1 AND phc = $2";
}

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    read_from(row, 0)
}

/// A user whose columns begin at `first`.
pub(crate) fn read_from(row: &Row<'_>, first: usize) -> Result<User, StoreError> {
    Ok(User {
        id: column::id(row, first)?,
        email: row.get(first + 1)?,
        email_canonical: row.get(first + 2)?,
        email_verified_at: row.get(first + 3)?,
        name: row.get(first + 4)?,
        locale: row.get(first + 5)?,
        is_admin: row.get(first + 6)?,
        disabled_at: row.get(first + 7)?,
        last_signed_in_at: row.get(first + 8)?,
        created_at: row.get(first + 9)?,
        updated_at: row.get(first + 10)?,
    })
}

fn read_with_password(row: &Row<'_>) -> Result<UserWithPassword, StoreError> {
    let phc: Option<String> = row.get(11)?;
    let set_at: Option<Timestamp> = row.get(12)?;
    let password = phc.zip(set_at).map(|(phc, set_at)| StoredPassword { phc, set_at });
    Ok(UserWithPassword { user: read(row)?, password })
}

/// Adds `user`; false when the address is taken.
pub fn insert(tx: &mut Tx<'_>, user: &User) -> Result<bool, StoreError> {
    let inserted = tx.execute(
        &INSERT,
        &[
            (&user.id.to_string()).into(),
            (&user.email).into(),
            (&user.email_canonical).into(),
            user.email_verified_at.into(),
            user.name.as_deref().into(),
            user.locale.as_deref().into(),
            user.is_admin.into(),
            user.created_at.into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// The user with this id.
pub fn find(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    tx.query_optional(&FIND, &[(&id.to_string()).into()], read)
}

/// The user with this canonical address, with their password.
pub fn find_with_password(tx: &mut Tx<'_>, email_canonical: &str) -> Result<Option<UserWithPassword>, StoreError> {
    tx.query_optional(&FIND_WITH_PASSWORD, &[email_canonical.into()], read_with_password)
}

/// Up to `limit` users whose id sorts after `after` (empty: from the beginning).
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<User>, StoreError> {
    tx.query_all(&LIST, &[after.into(), limit.into()], read)
}

/// Whether anybody can administer this deployment: somebody who is kept out cannot.
pub fn any_admin(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let found = tx.query_optional(&ANY_ADMIN, &[], |row| row.get::<String>(0))?;
    Ok(found.is_some())
}

/// Changes name and language, or one of them (what is none stays; the inner none removes the name), and returns the
/// user as they are now; none when they are gone or disabled.
pub fn update_profile(
    tx: &mut Tx<'_>,
    id: UserId,
    name: Option<Option<&str>>,
    locale: Option<&str>,
    now: Timestamp,
) -> Result<Option<User>, StoreError> {
    let id = id.to_string();
    let values = [(&id).into(), i64::from(name.is_some()).into(), name.flatten().into(), locale.into(), now.into()];
    tx.query_optional(&UPDATE_PROFILE, &values, read)
}

/// Keeps the user out; false when they are unknown or already disabled.
pub fn disable(tx: &mut Tx<'_>, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&DISABLE, &[(&id.to_string()).into(), now.into()])? == 1)
}

/// Lets the user in again; false when they are unknown or not disabled.
pub fn enable(tx: &mut Tx<'_>, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&ENABLE, &[(&id.to_string()).into(), now.into()])? == 1)
}

/// Marks a sign-in made with the password set at `password_set_at`; false when the account was disabled or the
/// password replaced since it was verified.
pub fn mark_signed_in(
    tx: &mut Tx<'_>,
    id: UserId,
    now: Timestamp,
    password_set_at: Timestamp,
) -> Result<bool, StoreError> {
    if !lock_password(tx, id, password_set_at)? {
        return Ok(false);
    }
    Ok(tx.execute(&MARK_SIGNED_IN, &[(&id.to_string()).into(), now.into()])? == 1)
}

/// Takes the lock of an enabled user's row: before any lock of what is theirs, so that two changes of one account wait
/// for each other and never in a circle. False when the user is gone or disabled.
pub fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<bool, StoreError> {
    // SQLite's one writer holds everything already: nothing is written only to be locked.
    Ok(tx.query_optional(&LOCK, &[(&id.to_string()).into()], |row| row.get::<String>(0))?.is_some())
}

/// Takes the lock under which the password set at `password_set_at` may be replaced; false when it was replaced or
/// the account disabled since it was verified.
pub fn lock_password(tx: &mut Tx<'_>, id: UserId, password_set_at: Timestamp) -> Result<bool, StoreError> {
    if !lock(tx, id)? {
        return Ok(false);
    }
    let id = id.to_string();
    let found = tx
        .query_optional(&HAS_PASSWORD_SET_AT, &[(&id).into(), password_set_at.into()], |row| row.get::<Timestamp>(0))?;
    Ok(found.is_some())
}

/// Sets the password of an enabled user; false when they are gone or disabled.
pub fn set_password(tx: &mut Tx<'_>, id: UserId, phc: &str, policy: &str, now: Timestamp) -> Result<bool, StoreError> {
    let id = id.to_string();
    if tx.execute(&TOUCH, &[(&id).into(), now.into()])? != 1 {
        return Ok(false);
    }
    tx.execute_expecting(&UPSERT_PASSWORD, &[(&id).into(), phc.into(), policy.into(), now.into()], 1)?;
    Ok(true)
}

/// Replaces the hash `old` by `new` of the same password; false when it changed meanwhile.
pub fn rehash_password(tx: &mut Tx<'_>, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&REHASH_PASSWORD, &[(&id.to_string()).into(), old.into(), new.into()])? == 1)
}
