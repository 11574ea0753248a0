//! Signing in with a password.

use doorward_model::email::EmailAddress;
use doorward_model::id::DeviceId;
use doorward_model::id::{RevocationId, SessionId};
use doorward_model::password::Password;
use doorward_model::secret::PlainToken;
use doorward_store::revocations::{self, RevokedKind};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, User};

use crate::App;
use crate::devices;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::op::Op;
use crate::password_check::{Claim, ClaimedHolder, PasswordCheck, RightPassword};
use crate::post::Addressee;
use crate::sessions::RevocationBatch;
use crate::sessions::start::{Credential, Mode};
use crate::throttle::Lane;
use crate::tokens::AccessToken;

/// What somebody signs in with.
pub struct SignIn {
    /// The address as typed; a text that is no address is refused like an unknown one.
    pub email: String,
    /// The password.
    pub password: Password,
    /// What the application gets to hold.
    pub mode: Mode,
    /// The known-device cookie.
    pub device_cookie: Option<String>,
    /// The session cookie this browser already has: its session ends when this one begins.
    pub previous: Option<PlainToken>,
}

/// How a sign-in ended.
pub enum SignInOutcome {
    /// Signed in.
    SignedIn(Box<SignedIn>),
    /// Refused, for a reason that nobody outside learns.
    Refused,
    /// Too many attempts.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
}

/// A session that has just begun.
pub struct SignedIn {
    /// Whose it is.
    pub user: User,
    /// The session.
    pub session: Session,
    /// What its holder keeps.
    pub credential: Credential,
    /// The first access token.
    pub access: AccessToken,
    /// The new known-device cookie, in a browser.
    pub device_cookie: Option<String>,
}

impl App {
    /// Signs in with address and password.
    pub async fn sign_in(&self, op: &Op, input: SignIn) -> Result<SignInOutcome, Failure> {
        let canonical = EmailAddress::parse(&input.email)
            .map_or_else(|_| input.email.trim().to_lowercase(), |email| email.canonical().to_owned());
        let claim = Claim { canonical, holder: ClaimedHolder::Browser(input.device_cookie.clone()) };
        match self.check_password(op, claim, input.password.clone()).await? {
            PasswordCheck::Right(right) => self.begin_session(op, *right, &input).await,
            PasswordCheck::Wrong => Ok(SignInOutcome::Refused),
            PasswordCheck::SlowDown { retry_after_seconds } => Ok(SignInOutcome::SlowDown { retry_after_seconds }),
        }
    }

    async fn begin_session(&self, op: &Op, right: RightPassword, input: &SignIn) -> Result<SignInOutcome, Failure> {
        let RightPassword { user: found, attempt, admission, rehashed } = right;
        let (user, Some(password)) = (found.user, found.password) else {
            return Ok(SignInOutcome::Refused);
        };
        let session = self.prepare_session(op, user.id, user.is_admin, input.mode);
        let access = self.issue_access_token(op, &session.row)?;
        let in_browser = matches!(input.mode, Mode::Cookie { .. });
        let list = self.device_cookies.open(input.device_cookie.as_deref(), op.now);
        let (claimed, fresh) = (list.device_of(user.id), DeviceId::new(op.now, op.random.as_ref()));
        let event = EventDraft::new(op, Action::SignIn).subject(user.id).data([
            ("session", session.row.id.to_string().into()),
            ("method", "password".into()),
            ("new_device", (admission.lane() == Lane::Strangers).into()),
        ]);
        let notice = if admission.lane() == Lane::Strangers && user.last_signed_in_at.is_some() {
            let letter = Letter::NewDevice { incident: Self::incident(op), forgot_link: self.link("/forgot") };
            Some(self.pack(op, Addressee::of(&user), &letter)?)
        } else {
            None
        };
        let (throttle, now, id) = (self.throttle.clone(), op.now, user.id);
        let previous = input.previous.as_ref().map(PlainToken::hash);
        let previous_entry = RevocationId::new(op.now, op.random.as_ref());
        let revocations = RevocationBatch::new(op);
        let begun = session.clone();
        let done = self
            .change(move |change| {
                // The account may have been disabled, or its password replaced, while the hash was computed.
                if !users::mark_signed_in(change.tx, id, now, password.set_at)? {
                    change.quietly();
                    return Ok(None);
                }
                if let Some(new) = &rehashed {
                    users::rehash_password(change.tx, id, &password.phc, new)?;
                }
                let mut ended = begun.insert(change.tx)?;
                revocations.insert(change.tx, &ended, now)?;
                if let Some(previous) = &previous
                    && let Some(old) = sessions::find_by_credential(change.tx, previous)?
                    && sessions::revoke(change.tx, old.id, old.user_id, now, "replaced")?
                {
                    let entry = previous_entry;
                    revocations::insert(change.tx, entry, RevokedKind::Session, &old.id.to_string(), now)?;
                    ended.push(old.id);
                }
                throttle.succeed(change.tx, &attempt, admission.lane())?;
                let device =
                    if in_browser { Some(devices::remember(change.tx, id, claimed, fresh, now)?) } else { None };
                change.record(&event)?;
                if let Some(parcel) = &notice {
                    change.post(&event, parcel)?;
                }
                Ok(Some((ended, device)))
            })
            .await?;
        let Some((ended, device)) = done else {
            return Ok(SignInOutcome::Refused);
        };
        self.after_sign_in(&ended);
        let device_cookie = match device {
            Some(device) => Some(self.seal_devices(op, &list.with(id, device, now))?),
            None => None,
        };
        let (row, credential) = (session.row, session.credential);
        Ok(SignInOutcome::SignedIn(Box::new(SignedIn { user, session: row, credential, access, device_cookie })))
    }

    fn after_sign_in(&self, ended: &[SessionId]) {
        if !ended.is_empty() {
            self.session_cache.forget(ended);
        }
        metrics::counter!("sign_ins_total", "method" => "password", "outcome" => "success").increment(1);
    }
}
