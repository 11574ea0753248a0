//! Forgotten, reset and changed passwords.

use doorward_model::email::EmailAddress;
use doorward_model::id::{DeviceId, OneTimeId, SessionId, UserId};
use doorward_model::password::{Password, Violation};
use doorward_model::secret::{PlainToken, TokenHash, TokenKind};
use doorward_model::time::HOUR_MS;
use doorward_store::Tx;
use doorward_store::grants;
use doorward_store::one_time_tokens::{self, OneTimeToken, Purpose};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, User, UserWithPassword};
use thiserror::Error;

use crate::App;
use crate::authentication::Principal;
use crate::devices;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::mail_budget::MailDecision;
use crate::op::Op;
use crate::password_check::{Claim, ClaimedHolder, PasswordCheck, RightPassword};
use crate::post::Addressee;
use crate::revocations::RevocationBatch;
use crate::signup::PasswordError;

/// How long a reset link works.
pub const RESET_MS: i64 = HOUR_MS;

/// Why a password was not reset.
#[derive(Debug, Error)]
pub enum ResetError {
    /// Unknown, expired or used.
    #[error("the link is not valid")]
    Invalid,
    /// The chosen password is refused; the link stays valid.
    #[error("the password is refused")]
    Password(Vec<Violation>),
    /// No fault of the caller.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// How a change of a password ended.
pub enum PasswordChange {
    /// Changed. The session has a new cookie, every other session is over, and every device is forgotten.
    Changed {
        /// The new value of the session cookie and its session; none when that is held by a refresh token.
        session: Option<Box<(PlainToken, Session)>>,
        /// The known-device cookie for this browser.
        device_cookie: String,
    },
    /// The current password was wrong.
    WrongPassword,
    /// The new password is refused.
    Refused(Vec<Violation>),
    /// Too many wrong passwords.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
}

impl App {
    /// Mails a link to choose a new password, if there is such an account and the budget allows. Says nothing
    /// about either.
    pub async fn forgot_password(
        &self,
        op: &Op,
        email: &EmailAddress,
        device_cookie: Option<&str>,
    ) -> Result<(), Failure> {
        let canonical = email.canonical().to_owned();
        let found = self.store.read(move |tx| users::find_with_password(tx, &canonical)).await?;
        let user = found.map(|found| found.user).filter(|user| user.disabled_at.is_none());
        let token = PlainToken::new(TokenKind::OneTime, op.random.as_ref());
        let row = OneTimeToken {
            id: OneTimeId::new(op.now, op.random.as_ref()),
            user_id: user.as_ref().map(|user| user.id),
            created_at: op.now,
            expires_at: op.now.plus_ms(RESET_MS),
        };
        let letter = Letter::PasswordReset {
            link: self.link(&format!("/reset?token={}", token.reveal().as_str())),
            valid_seconds: RESET_MS.unsigned_abs() / 1000,
        };
        // For an unknown address the mail is written and thrown away: both take the same time.
        let stranger = Addressee { email: email.as_typed(), name: None, locale: None };
        let parcel = self.pack(op, user.as_ref().map_or(stranger, Addressee::of), &letter)?;
        let request = self.mail_request(op, email.canonical(), user.as_ref().map(|user| user.id), device_cookie);
        let budgets = self.mail_budgets.clone();
        let event = EventDraft::new(op, Action::PasswordResetRequested);
        let event = match &user {
            Some(user) => event.subject(user.id),
            None => event.refused(),
        };
        let hash = token.hash();
        self.change(move |change| {
            let decision = budgets.reserve(change.tx, &request)?;
            decision.record(change, &event)?;
            if decision == MailDecision::Send && row.user_id.is_some() {
                one_time_tokens::insert(change.tx, &row, Purpose::PasswordReset, &hash)?;
                change.post(&event, &parcel)?;
            }
            Ok(decision)
        })
        .await
        .map(MailDecision::count)
    }

    /// Whose password a reset link is for; looking consumes nothing.
    pub async fn find_user_of_reset(&self, op: &Op, token: &PlainToken) -> Result<Option<User>, Failure> {
        let (hash, now) = (token.hash(), op.now);
        let user = self.store.read(move |tx| find_reset_user(tx, &hash, now)).await?;
        Ok(user)
    }

    /// Sets a new password by a mailed link. Ends every session, forgets every device, signs nobody in; returns
    /// the known-device cookie for this browser.
    pub async fn reset_password(&self, op: &Op, token: &PlainToken, password: Password) -> Result<String, ResetError> {
        let user = self.find_user_of_reset(op, token).await?.ok_or(ResetError::Invalid)?;
        let hashed = self.accept_for(op, &user, password).await.map_err(|error| match error {
            PasswordError::Refused(violations) => ResetError::Password(violations),
            PasswordError::Failure(failure) => ResetError::Failure(failure),
        })?;
        let event = EventDraft::new(op, Action::PasswordReset).subject(user.id);
        let letter = Letter::PasswordWasReset { incident: Self::incident(op), forgot_link: self.link("/forgot") };
        let parcel = self.pack(op, Addressee::of(&user), &letter)?;
        let (id, now, hash) = (user.id, op.now, token.hash());
        let revocations = RevocationBatch::new(op);
        let device = DeviceId::new(op.now, op.random.as_ref());
        let device_cookie = self.seal_devices(op, &self.device_cookies.open(None, op.now).with(id, device, now))?;
        let throttle = self.throttle.clone();
        let subject = self.throttle.subject(&user.email_canonical);
        let done = self
            .change(move |change| {
                // The lock of the account first: two resets with two links would else wait for each other's link.
                if !users::lock(change.tx, id)? {
                    change.quietly();
                    return Ok(false);
                }
                let link = one_time_tokens::take(change.tx, Purpose::PasswordReset, &hash, now)?;
                if link.is_none() || !users::set_password(change.tx, id, &hashed.phc, &hashed.policy, now)? {
                    change.quietly();
                    return Ok(false);
                }
                one_time_tokens::delete_of_user(change.tx, Purpose::PasswordReset, id)?;
                let ended = sessions::revoke_others(change.tx, id, None, now, "password_reset")?;
                revocations.insert_user(change, id, &ended, now)?;
                devices::start_over(change.tx, id, device, now)?;
                throttle.owner_returned(change.tx, subject)?;
                change.record(&event)?;
                change.post(&event, &parcel)?;
                Ok(true)
            })
            .await?;
        if !done {
            return Err(ResetError::Invalid);
        }
        self.session_cache.forget_user(id);
        self.user_cache.forget(id);
        Ok(device_cookie)
    }

    /// Changes the password of the caller, who must know the current one. Ends every other session.
    pub async fn change_password(
        &self,
        op: &Op,
        principal: &Principal,
        current: Password,
        new: Password,
    ) -> Result<PasswordChange, Failure> {
        let id = principal.user_id;
        let found = self.store.read(move |tx| users::find(tx, id)).await?;
        let Some(user) = found.filter(|user| user.disabled_at.is_none()) else {
            return Ok(PasswordChange::WrongPassword);
        };
        let holder = ClaimedHolder::Session(principal.session_id);
        let claim = Claim { canonical: user.email_canonical.clone(), holder };
        let right = match self.check_password(op, claim, current).await? {
            PasswordCheck::Right(right) => right,
            PasswordCheck::Wrong => return Ok(PasswordChange::WrongPassword),
            PasswordCheck::SlowDown { retry_after_seconds } => {
                return Ok(PasswordChange::SlowDown { retry_after_seconds });
            }
        };
        match self.accept_for(op, &user, new).await {
            Ok(hashed) => self.replace_password(op, principal, *right, hashed).await,
            Err(PasswordError::Refused(violations)) => Ok(PasswordChange::Refused(violations)),
            Err(PasswordError::Failure(failure)) => Err(failure),
        }
    }

    async fn replace_password(
        &self,
        op: &Op,
        principal: &Principal,
        right: RightPassword,
        hashed: crate::signup::HashedPassword,
    ) -> Result<PasswordChange, Failure> {
        let RightPassword { user: UserWithPassword { user, password }, attempt, admission, .. } = right;
        let Some(old) = password else {
            return Ok(PasswordChange::WrongPassword);
        };
        let event = EventDraft::new(op, Action::PasswordChanged).subject(user.id);
        let letter = Letter::PasswordChanged { incident: Self::incident(op), forgot_link: self.link("/forgot") };
        let parcel = self.pack(op, Addressee::of(&user), &letter)?;
        let cookie = PlainToken::new(TokenKind::Session, op.random.as_ref());
        let (id, keep, now, new_hash) = (user.id, principal.session_id, op.now, cookie.hash());
        let revocations = RevocationBatch::new(op);
        let device = DeviceId::new(op.now, op.random.as_ref());
        let device_cookie = self.seal_devices(op, &self.device_cookies.open(None, op.now).with(id, device, now))?;
        let throttle = self.throttle.clone();
        let replaced = self
            .change(move |change| {
                // The lock first: the password that was verified must still be the one that is replaced.
                if !users::lock_password(change.tx, id, old.set_at)?
                    || !users::set_password(change.tx, id, &hashed.phc, &hashed.policy, now)?
                {
                    change.quietly();
                    return Ok(None);
                }
                throttle.succeed(change.tx, &attempt, admission.lane())?;
                one_time_tokens::delete_of_user(change.tx, Purpose::PasswordReset, id)?;
                let ended = sessions::revoke_others(change.tx, id, Some(keep), now, "password_changed")?;
                revocations.insert(change, &ended, now)?;
                let offline = grants::revoke_offline(change.tx, id, now, "password_changed")?;
                revocations.insert_grants(change, &offline, now)?;
                let renewed = renew_cookie(change.tx, keep, id, &new_hash)?;
                if renewed.is_some() {
                    revocations.insert_credential(change, keep, now)?;
                }
                devices::start_over(change.tx, id, device, now)?;
                change.record(&event)?;
                change.post(&event, &parcel)?;
                Ok(Some(renewed))
            })
            .await?;
        self.session_cache.forget_user(id);
        self.user_cache.forget(id);
        Ok(replaced.map_or(PasswordChange::WrongPassword, |renewed| PasswordChange::Changed {
            session: renewed.map(|session| Box::new((cookie, session))),
            device_cookie,
        }))
    }

    async fn accept_for(
        &self,
        op: &Op,
        user: &User,
        password: Password,
    ) -> Result<crate::signup::HashedPassword, PasswordError> {
        let email = EmailAddress::parse(&user.email).ok();
        let context = self.password_context(email.as_ref(), user.name.as_deref());
        self.accept_password(op, password, context).await
    }
}

/// Gives a session held by a cookie a new one; none when it is held by a refresh token.
fn renew_cookie(tx: &mut Tx<'_>, id: SessionId, user: UserId, new: &TokenHash) -> Result<Option<Session>, Failure> {
    let Some(session) = sessions::find(tx, id)?.filter(|session| session.user_id == user) else {
        return Ok(None);
    };
    match session.credential_hash {
        Some(old) if sessions::replace_credential(tx, id, &old, new)? => Ok(Some(session)),
        Some(_) | None => Ok(None),
    }
}

fn find_reset_user(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    now: doorward_model::time::Timestamp,
) -> Result<Option<User>, Failure> {
    let token = one_time_tokens::find(tx, Purpose::PasswordReset, hash, now)?;
    let Some(user_id) = token.and_then(|token| token.user_id) else {
        return Ok(None);
    };
    Ok(users::find(tx, user_id)?.filter(|user| user.disabled_at.is_none()))
}

#[cfg(test)]
mod tests;
