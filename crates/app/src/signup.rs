//! Signing up: a pending row until somebody proves to read the mailbox. No account exists before that, so
//! nobody can prepare one for somebody else's address.

use doorward_model::email::EmailAddress;
use doorward_model::id::{SignupId, UserId};
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::{Context, Password, Violation};
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{HOUR_MS, MINUTE_MS, Timestamp};
use doorward_store::StoreError;
use doorward_store::pending_signups::{self, PendingSignup};
use doorward_store::users::{self, User};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::mail_budget::MailDecision;
use crate::op::Op;
use crate::post::{Addressee, Parcel};

/// How long a sign-up waits for its confirmation by link.
const LINK_MS: i64 = 24 * HOUR_MS;
/// How long a mailed code works (ASVS 6.5.5).
const CODE_MS: i64 = 10 * MINUTE_MS;
/// How many codes may be tried before the code is dead (ASVS 6.6.3).
const CODE_ATTEMPTS: i64 = 5;

/// What somebody signs up with.
pub struct SignUp {
    /// Their address.
    pub email: EmailAddress,
    /// The password they chose, for when the browser that signs up is the one that confirms.
    pub password: Password,
    /// Their name.
    pub name: Option<DisplayName>,
    /// The language they use.
    pub locale: Locale,
    /// The known-device cookie, which gives mails for its owner a budget of their own.
    pub device_cookie: Option<String>,
}

/// Why a password cannot be used, or why nothing could be done.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The policy refuses it, for all these reasons.
    #[error("the password is refused")]
    Refused(Vec<Violation>),
    /// No fault of the caller.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Why a confirmation did not happen.
#[derive(Debug, Error)]
pub enum ConfirmError {
    /// Unknown, expired, used, or out of tries; a wrong code.
    #[error("the code or link is not valid")]
    Invalid,
    /// The first administrator chose an address that has an account; the link stays valid.
    #[error("the address has an account")]
    AddressTaken,
    /// The chosen password is refused; the link stays valid.
    #[error("the password is refused")]
    Password(Vec<Violation>),
    /// No fault of the caller.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<PasswordError> for ConfirmError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Refused(violations) => Self::Password(violations),
            PasswordError::Failure(failure) => Self::Failure(failure),
        }
    }
}

/// A password that met the policy, hashed.
pub(crate) struct HashedPassword {
    pub(crate) phc: String,
    pub(crate) policy: String,
}

impl App {
    /// Checks a new password against the policy and hashes it.
    pub(crate) async fn accept_password(
        &self,
        op: &Op,
        password: Password,
        context: Context,
    ) -> Result<HashedPassword, PasswordError> {
        let policy = self.settings.password_policy;
        let judged = tokio::task::spawn_blocking(move || (policy.check(&password, &context), password)).await;
        let (verdict, password) = judged.map_err(|error| Failure::internal("judging a password", error))?;
        let mark = verdict.map_err(PasswordError::Refused)?;
        // Asked last, for passwords that could otherwise be taken: nothing of the others leaves the server.
        if self.outbound.breached.is_breached(&password).await? {
            return Err(PasswordError::Refused(vec![Violation::BREACHED]));
        }
        let salt = doorward_model::random::bytes(op.random.as_ref());
        let phc = self.hasher.hash(password, salt).await.map_err(Failure::from)?;
        Ok(HashedPassword { phc, policy: mark.to_string() })
    }

    /// Words a password must not be made of.
    pub(crate) fn password_context(&self, email: Option<&EmailAddress>, name: Option<&str>) -> Context {
        let host = self.settings.public_url.split("://").nth(1).unwrap_or_default();
        let mut context = Context::of_service(&self.settings.service_name, host);
        if let Some(email) = email {
            context = context.with_address(email);
        }
        match name.and_then(|name| DisplayName::parse(name).ok()) {
            Some(name) => context.with_name(&name),
            None => context,
        }
    }

    /// Begins a sign-up and returns the handle its browser confirms with. From outside the answer, the work and
    /// the time are the same for an address that has an account; only the mail differs.
    pub async fn sign_up(&self, op: &Op, input: SignUp) -> Result<PlainToken, PasswordError> {
        let context = self.password_context(Some(&input.email), input.name.as_ref().map(DisplayName::as_str));
        let hashed = self.accept_password(op, input.password, context).await?;
        let canonical = input.email.canonical().to_owned();
        let known = self
            .store
            .read(move |tx| users::find_with_password(tx, &canonical))
            .await
            .map_err(Failure::from)?
            .map(|found| found.user);
        let handle = PlainToken::new(TokenKind::OneTime, op.random.as_ref());
        let id = SignupId::new(op.now, op.random.as_ref());
        let signup = PendingSignup {
            id,
            email: input.email.as_typed().to_owned(),
            email_canonical: input.email.canonical().to_owned(),
            name: input.name.map(|name| name.as_str().to_owned()),
            locale: Some(input.locale.as_str().to_owned()),
            // Computed in both cases for the sake of equal time; nothing can ever come of a known address's.
            phc: if known.is_none() { hashed.phc } else { String::new() },
            policy: hashed.policy,
            handle_hash: handle.hash(),
            link_hash: known.is_none().then(|| self.signup_link(id).hash()),
            code_issued_at: known.is_none().then_some(op.now),
            code_attempts: 0,
            created_at: op.now,
            expires_at: op.now.plus_ms(LINK_MS),
        };
        let parcel = self.signup_mail(op, &signup, known.as_ref())?;
        let cookie = input.device_cookie.as_deref();
        let request = self.mail_request(op, &signup.email_canonical, known.map(|user| user.id), cookie);
        let budgets = self.mail_budgets.clone();
        let event = EventDraft::new(op, Action::SignupRequested).subject(id);
        // A code that nobody was mailed must not work: every sign-up brings five guesses, and only the mail budget
        // bounds how many sign-ups of one address have a code.
        let unmailed = PendingSignup { code_issued_at: None, ..signup.clone() };
        self.change(move |change| {
            let decision = budgets.reserve(change.tx, &request)?;
            let is_mailed = decision == MailDecision::Send;
            pending_signups::insert(change.tx, if is_mailed { &signup } else { &unmailed })?;
            decision.record(change, &event)?;
            if is_mailed {
                change.post(&event, &parcel)?;
            }
            Ok(decision)
        })
        .await
        .map(MailDecision::count)?;
        Ok(handle)
    }

    /// Sends the mail of a sign-up again, with a fresh code, within the budget. Says nothing about whether there
    /// is such a sign-up.
    pub async fn resend_verification(
        &self,
        op: &Op,
        handle: &PlainToken,
        device_cookie: Option<&str>,
    ) -> Result<(), Failure> {
        let (hash, now) = (handle.hash(), op.now);
        let found = self.store.read(move |tx| pending_signups::find_by_handle(tx, &hash, now)).await?;
        let Some(mut signup) = found else {
            return Ok(());
        };
        let canonical = signup.email_canonical.clone();
        let known = self.store.read(move |tx| users::find_with_password(tx, &canonical)).await?.map(|found| found.user);
        signup.code_issued_at = signup.link_hash.map(|_| now);
        let parcel = self.signup_mail(op, &signup, known.as_ref())?;
        let event = EventDraft::new(op, Action::VerificationResent).subject(signup.id);
        let request = self.mail_request(op, &signup.email_canonical, known.map(|user| user.id), device_cookie);
        let budgets = self.mail_budgets.clone();
        self.change(move |change| {
            let decision = budgets.reserve(change.tx, &request)?;
            decision.record(change, &event)?;
            if decision == MailDecision::Send {
                // The code of the mail before stops working with this one; its link stays valid.
                pending_signups::renew_code(change.tx, signup.id, now)?;
                change.post(&event, &parcel)?;
            }
            Ok(decision)
        })
        .await
        .map(MailDecision::count)
    }

    fn signup_mail(&self, op: &Op, signup: &PendingSignup, known: Option<&User>) -> Result<Parcel, Failure> {
        match known {
            None => {
                let issued_at = signup.code_issued_at.unwrap_or(op.now);
                let letter = Letter::Verification {
                    code: format!("{:06}", self.signup_code(signup.id, issued_at)),
                    link: self.link(&format!("/verify?token={}", self.signup_link(signup.id).reveal().as_str())),
                    code_valid_seconds: CODE_MS.unsigned_abs() / 1000,
                    link_valid_seconds: LINK_MS.unsigned_abs() / 1000,
                };
                let to =
                    Addressee { email: &signup.email, name: signup.name.as_deref(), locale: signup.locale.as_deref() };
                self.pack(op, to, &letter)
            }
            Some(user) => {
                let letter =
                    Letter::AlreadyRegistered { sign_in_link: self.link("/login"), forgot_link: self.link("/forgot") };
                self.pack(op, Addressee::of(user), &letter)
            }
        }
    }

    /// Confirms in the browser that signed up, with the mailed code. The password chosen there becomes the
    /// account's.
    pub async fn confirm_with_code(&self, op: &Op, handle: &PlainToken, code: &str) -> Result<UserId, ConfirmError> {
        let (hash, now) = (handle.hash(), op.now);
        let user_id = UserId::new(now, op.random.as_ref());
        let (created, failed) = (
            EventDraft::new(op, Action::UserCreated).subject(user_id),
            EventDraft::new(op, Action::VerificationFailed).refused(),
        );
        let app = self.clone();
        let throttle = self.throttle.clone();
        let code = code.trim().to_owned();
        let confirmed = self
            .change(move |change| {
                pending_signups::lock_of_handle(change.tx, &hash)?;
                let Some(signup) = pending_signups::reserve_code_attempt(change.tx, &hash, now, CODE_ATTEMPTS)? else {
                    change.quietly();
                    return Ok(false);
                };
                let right = app.is_right_code(&signup, &code, now);
                let user = new_user(user_id, &signup, now);
                if right && create_user(change.tx, &user, &signup.phc, &signup.policy)? {
                    throttle.owner_returned(change.tx, throttle.subject(&signup.email_canonical))?;
                    change.record(&created)?;
                    return Ok(true);
                }
                change.record(&failed.clone().subject(signup.id))?;
                Ok(false)
            })
            .await?;
        if confirmed { Ok(user_id) } else { Err(ConfirmError::Invalid) }
    }

    /// Whom a link was mailed to; looking consumes nothing.
    pub async fn find_signup_of_link(&self, op: &Op, link: &PlainToken) -> Result<Option<String>, Failure> {
        let (hash, now) = (link.hash(), op.now);
        let found = self.store.read(move |tx| pending_signups::find_by_link(tx, &hash, now)).await?;
        Ok(found.map(|signup| signup.email))
    }

    /// Confirms with the mailed link. Whoever opened it chooses the password: the one chosen at sign-up may be
    /// a stranger's.
    pub async fn confirm_with_link(
        &self,
        op: &Op,
        link: &PlainToken,
        password: Password,
    ) -> Result<UserId, ConfirmError> {
        let (hash, now) = (link.hash(), op.now);
        let found =
            self.store.read(move |tx| pending_signups::find_by_link(tx, &hash, now)).await.map_err(Failure::from)?;
        let signup = found.ok_or(ConfirmError::Invalid)?;
        let email = EmailAddress::parse(&signup.email).ok();
        let context = self.password_context(email.as_ref(), signup.name.as_deref());
        let hashed = self.accept_password(op, password, context).await?;
        let user_id = UserId::new(now, op.random.as_ref());
        let user = new_user(user_id, &signup, now);
        let event = EventDraft::new(op, Action::UserCreated).subject(user_id);
        let (throttle, subject) = (self.throttle.clone(), self.throttle.subject(&signup.email_canonical));
        let confirmed = self
            .change(move |change| {
                pending_signups::lock_of_email(change.tx, &user.email_canonical)?;
                // Taken first, so that of two openers of one link only one makes the account.
                if !pending_signups::take(change.tx, signup.id)?
                    || !create_user(change.tx, &user, &hashed.phc, &hashed.policy)?
                {
                    change.quietly();
                    return Ok(false);
                }
                throttle.owner_returned(change.tx, subject)?;
                change.record(&event)?;
                Ok(true)
            })
            .await?;
        if confirmed { Ok(user_id) } else { Err(ConfirmError::Invalid) }
    }

    fn is_right_code(&self, signup: &PendingSignup, code: &str, now: Timestamp) -> bool {
        // Computed for every row, also for those that have no code, so that both take the same time.
        let issued_at = signup.code_issued_at.unwrap_or(signup.created_at);
        let right = format!("{:06}", self.signup_code(signup.id, issued_at));
        let same = bool::from(right.as_bytes().ct_eq(code.as_bytes()));
        same && signup.code_issued_at.is_some() && now < issued_at.plus_ms(CODE_MS)
    }

    /// The token of a sign-up's link. Derived, so that a mail sent again carries the same link and the earlier
    /// one stays valid.
    fn signup_link(&self, id: SignupId) -> PlainToken {
        PlainToken::from_bytes(TokenKind::OneTime, self.keys.derive("signup link", &[id.uuid()]))
    }

    /// The code mailed at `issued_at`, below a million. Derived, because a stored hash of six digits is no secret.
    fn signup_code(&self, id: SignupId, issued_at: Timestamp) -> u64 {
        let bytes = self.keys.derive("signup code", &[id.uuid(), &issued_at.as_ms().to_be_bytes()]);
        // 64 bits modulo a million: the bias is below 1 in 10^13.
        bytes[..8].iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte)) % 1_000_000
    }
}

/// The account that `signup` becomes.
fn new_user(id: UserId, signup: &PendingSignup, now: Timestamp) -> User {
    User {
        email_verified_at: Some(now),
        name: signup.name.clone(),
        locale: signup.locale.clone(),
        ..User::new(id, signup.email.clone(), signup.email_canonical.clone(), now)
    }
}

/// Makes the account and forgets every pending sign-up of its address; false when the address got an account
/// meanwhile.
pub(crate) fn create_user(
    tx: &mut doorward_store::Tx<'_>,
    user: &User,
    phc: &str,
    policy: &str,
) -> Result<bool, StoreError> {
    // Before the address is: whoever confirms a sign-up locks in this order.
    pending_signups::lock_of_email(tx, &user.email_canonical)?;
    if !users::insert(tx, user)? {
        return Ok(false);
    }
    users::set_password(tx, user.id, phc, policy, user.created_at)?;
    pending_signups::delete_of_email(tx, &user.email_canonical)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
