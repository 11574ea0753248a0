//! Signing in with a password.

use doorward_model::email::EmailAddress;
use doorward_model::id::{DeviceId, SessionId};
use doorward_model::password::Password;
use doorward_model::secret::{PlainToken, TokenHash};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, StoredPassword, User};

use crate::App;
use crate::change::Change;
use crate::devices;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::op::Op;
use crate::password_check::{Claim, ClaimedHolder, PasswordCheck, RightPassword};
use crate::post::{Addressee, Parcel};
use crate::revocations::RevocationBatch;
use crate::sessions::start::{Credential, Mode, NewSession};
use crate::throttle::{Attempt, Lane, Throttle};
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
        let is_new_device = admission.lane() == Lane::Strangers;
        let access = access.ok_or_else(|| Failure::internal("beginning a session", "it is over already"))?;
        let list = self.device_cookies.open(input.device_cookie.as_deref(), op.now);
        let event = EventDraft::new(op, Action::SignIn).subject(user.id).data([
            ("session", session.row.id.to_string().into()),
            ("method", "password".into()),
            ("new_device", is_new_device.into()),
        ]);
        let notice = if is_new_device && user.last_signed_in_at.is_some() {
            let letter = Letter::NewDevice { incident: Self::incident(op), forgot_link: self.link("/forgot") };
            Some(self.pack(op, Addressee::of(&user), &letter)?)
        } else {
            None
        };
        let begin = Begin {
            session: session.clone(),
            password,
            rehashed,
            previous: input.previous.as_ref().map(PlainToken::hash),
            attempt,
            lane: admission.lane(),
            claimed: list.device_of(user.id),
            fresh: DeviceId::new(op.now, op.random.as_ref()),
            in_browser: matches!(input.mode, Mode::Cookie { .. }),
            event,
            notice,
            revocations: RevocationBatch::new(op),
        };
        let throttle = self.throttle.clone();
        let Some(Begun { ended, device }) = self.change(move |change| begin.commit(change, &throttle)).await? else {
            return Ok(SignInOutcome::Refused);
        };
        self.after_sign_in(&ended);
        let device_cookie = match device {
            Some(device) => Some(self.seal_devices(op, &list.with(user.id, device, op.now))?),
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

/// Everything the transaction of a sign-in needs, drawn before it.
struct Begin {
    session: NewSession,
    password: StoredPassword,
    rehashed: Option<String>,
    previous: Option<TokenHash>,
    attempt: Attempt,
    lane: Lane,
    claimed: Option<DeviceId>,
    fresh: DeviceId,
    in_browser: bool,
    event: EventDraft,
    notice: Option<Parcel>,
    revocations: RevocationBatch,
}

/// What beginning a session brought about.
struct Begun {
    ended: Vec<SessionId>,
    device: Option<DeviceId>,
}

impl Begin {
    /// Begins the session; none when the account was disabled, or its password replaced, while the hash was
    /// computed. Returns the sessions that ended and the device this browser is known as.
    fn commit(&self, change: &mut Change<'_, '_>, throttle: &Throttle) -> Result<Option<Begun>, Failure> {
        let (user, now) = (self.session.row.user_id, self.session.row.created_at);
        if !users::mark_signed_in(change.tx, user, now, self.password.set_at)? {
            change.quietly();
            return Ok(None);
        }
        if let Some(new) = &self.rehashed {
            users::rehash_password(change.tx, user, &self.password.phc, new)?;
        }
        let mut ended = self.session.insert(change.tx)?;
        if let Some(previous) = &self.previous
            && let Some(old) = sessions::find_by_credential(change.tx, previous)?
            && sessions::revoke(change.tx, old.id, old.user_id, now, "replaced")?
        {
            ended.push(old.id);
        }
        self.revocations.insert(change, &ended, now)?;
        throttle.succeed(change.tx, &self.attempt, self.lane)?;
        let device = if self.in_browser {
            Some(devices::remember(change.tx, user, self.claimed, self.fresh, now)?)
        } else {
            None
        };
        change.record(&self.event)?;
        if let Some(parcel) = &self.notice {
            change.post(&self.event, parcel)?;
        }
        Ok(Some(Begun { ended, device }))
    }
}
