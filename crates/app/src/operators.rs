//! What an operator does at the command line, and the way to the first administrator.

use doorward_model::email::EmailAddress;
use doorward_model::id::{OneTimeId, UserId};
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::Password;
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::HOUR_MS;
use doorward_store::one_time_tokens::{self, OneTimeToken, Purpose};
use doorward_store::sessions;
use doorward_store::users::{self, User};

use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::op::Op;
use crate::revocations::RevocationBatch;
use crate::signup::{ConfirmError, PasswordError, create_user};

/// How long the first administrator's link works.
const ADMINISTRATOR_LINK_MS: i64 = HOUR_MS;

/// An account made without a sign-up.
pub struct NewUser {
    /// Its address.
    pub email: EmailAddress,
    /// Its password.
    pub password: Password,
    /// Its name.
    pub name: Option<DisplayName>,
    /// Whether the operator vouches for the address.
    pub is_verified: bool,
    /// Whether they administer the deployment.
    pub is_admin: bool,
}

impl App {
    /// Makes an account; none when the address has one.
    pub async fn create_user(&self, op: &Op, new: NewUser) -> Result<Option<User>, PasswordError> {
        let context = self.password_context(Some(&new.email), new.name.as_ref().map(DisplayName::as_str));
        let hashed = self.accept_password(op, new.password, context).await?;
        let user = user_row(op, &new.email, new.name.as_ref(), new.is_verified, new.is_admin);
        let event = EventDraft::new(op, Action::UserCreated)
            .subject(user.id)
            .data([("admin", new.is_admin.into()), ("verified", new.is_verified.into())]);
        let row = user.clone();
        let created = self
            .change(move |change| {
                if !create_user(change.tx, &row, &hashed.phc, &hashed.policy)? {
                    change.quietly();
                    return Ok(false);
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        Ok(created.then_some(user))
    }

    /// A page of all users, oldest first.
    pub async fn list_users(&self, after: Option<UserId>, limit: u8) -> Result<Vec<User>, Failure> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        Ok(self.store.read(move |tx| users::list(tx, &after, i64::from(limit))).await?)
    }

    /// The user with this address.
    pub async fn find_user_by_email(&self, email: &EmailAddress) -> Result<Option<User>, Failure> {
        let canonical = email.canonical().to_owned();
        Ok(self.store.read(move |tx| users::find_with_password(tx, &canonical)).await?.map(|found| found.user))
    }

    /// Keeps a user out and ends their sessions; false when they are unknown or kept out already.
    pub async fn disable_user(&self, op: &Op, id: UserId) -> Result<bool, Failure> {
        let event = EventDraft::new(op, Action::UserDisabled).subject(id);
        let revocations = RevocationBatch::new(op);
        let now = op.now;
        let disabled = self
            .change(move |change| {
                if !users::disable(change.tx, id, now)? {
                    change.quietly();
                    return Ok(false);
                }
                let ended = sessions::revoke_others(change.tx, id, None, now, "user_disabled")?;
                revocations.insert_user(change, id, &ended, now)?;
                revocations.insert_subject(change, id, now)?;
                one_time_tokens::delete_of_user(change.tx, Purpose::PasswordReset, id)?;
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        self.session_cache.forget_user(id);
        self.user_cache.forget(id);
        Ok(disabled)
    }

    /// Lets a user in again; false when they are unknown or not kept out.
    pub async fn enable_user(&self, op: &Op, id: UserId) -> Result<bool, Failure> {
        let event = EventDraft::new(op, Action::UserEnabled).subject(id);
        let now = op.now;
        let enabled = self
            .change(move |change| {
                if !users::enable(change.tx, id, now)? {
                    change.quietly();
                    return Ok(false);
                }
                change.record(&event)?;
                Ok(true)
            })
            .await;
        self.user_cache.forget(id);
        enabled
    }

    /// Whether somebody administers the deployment.
    pub async fn has_administrator(&self) -> Result<bool, Failure> {
        Ok(self.store.read(users::any_admin).await?)
    }

    /// A new one-time link for the first administrator; none when there is one. Earlier links stop working.
    pub async fn make_administrator_link(&self, op: &Op) -> Result<Option<String>, Failure> {
        let token = PlainToken::new(TokenKind::OneTime, op.random.as_ref());
        let row = OneTimeToken {
            id: OneTimeId::new(op.now, op.random.as_ref()),
            user_id: None,
            created_at: op.now,
            expires_at: op.now.plus_ms(ADMINISTRATOR_LINK_MS),
        };
        let event = EventDraft::new(op, Action::AdministratorLinkMade);
        let hash = token.hash();
        let made = self
            .change(move |change| {
                if users::any_admin(change.tx)? {
                    change.quietly();
                    return Ok(false);
                }
                one_time_tokens::delete_of_purpose(change.tx, Purpose::FirstAdministrator)?;
                one_time_tokens::insert(change.tx, &row, Purpose::FirstAdministrator, &hash)?;
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        Ok(made.then(|| self.link(&format!("/setup?token={}", token.reveal().as_str()))))
    }

    /// Whether this is the first administrator's link; looking consumes nothing.
    pub async fn is_administrator_link(&self, op: &Op, token: &PlainToken) -> Result<bool, Failure> {
        let (hash, now) = (token.hash(), op.now);
        let found =
            self.store.read(move |tx| one_time_tokens::find(tx, Purpose::FirstAdministrator, &hash, now)).await?;
        Ok(found.is_some())
    }

    /// Makes the first administrator. The link is consumed only together with it.
    pub async fn create_first_administrator(
        &self,
        op: &Op,
        token: &PlainToken,
        new: NewUser,
    ) -> Result<User, ConfirmError> {
        if !self.is_administrator_link(op, token).await? {
            return Err(ConfirmError::Invalid);
        }
        if self.find_user_by_email(&new.email).await?.is_some() {
            return Err(ConfirmError::AddressTaken);
        }
        let context = self.password_context(Some(&new.email), new.name.as_ref().map(DisplayName::as_str));
        let hashed = self.accept_password(op, new.password, context).await?;
        let user = user_row(op, &new.email, new.name.as_ref(), true, true);
        let event = EventDraft::new(op, Action::UserCreated).subject(user.id).data([("admin", true.into())]);
        let (row, hash, now) = (user.clone(), token.hash(), op.now);
        let created = self
            .change(move |change| {
                let link = one_time_tokens::take(change.tx, Purpose::FirstAdministrator, &hash, now)?;
                if link.is_none() || users::any_admin(change.tx)? {
                    change.quietly();
                    return Ok(false);
                }
                if !create_user(change.tx, &row, &hashed.phc, &hashed.policy)? {
                    // The address got an account just now. Rolling back keeps the link.
                    return Err(Failure::internal("making the first administrator", "the address has an account"));
                }
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        if created { Ok(user) } else { Err(ConfirmError::Invalid) }
    }
}

fn user_row(op: &Op, email: &EmailAddress, name: Option<&DisplayName>, is_verified: bool, is_admin: bool) -> User {
    let id = UserId::new(op.now, op.random.as_ref());
    User {
        email_verified_at: is_verified.then_some(op.now),
        name: name.map(|name| name.as_str().to_owned()),
        locale: Some(Locale::default().as_str().to_owned()),
        is_admin,
        ..User::new(id, email.as_typed().to_owned(), email.canonical().to_owned(), op.now)
    }
}

#[cfg(test)]
mod tests;
