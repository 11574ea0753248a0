//! Access tokens, and the refresh tokens that renew them.

use std::sync::{Arc, OnceLock};

use doorward_model::id::{EventId, SessionId};
use doorward_model::rotation::{Decision, Family, Generation, PresentedToken, Reuse, Rotation, Salt, Step};
use doorward_model::secret::SecretText;
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, Advance, TokenFamily};
use doorward_store::{StoreError, users};
use zeroize::Zeroizing;

use crate::App;
use crate::authentication::Principal;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::keys::access_tokens::{AccessGrant, IssueError};
use crate::mail::Letter;
use crate::op::Op;
use crate::post::{Addressee, Parcel};
use crate::sessions::{RevocationBatch, read_amr, usable};

/// The `client_id` of tokens that first-party applications hold without being registered.
const FIRST_PARTY: &str = "doorward";
/// Each lost race means that somebody else's renewal was committed, so few are lost in a row.
const MOST_RACES: usize = 100;
/// What those tokens allow: the person's own account.
const FIRST_PARTY_SCOPE: &str = "account";

/// A fresh access token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub text: SecretText,
    /// How long it lives, in seconds.
    pub expires_in: i64,
}

/// What presenting a refresh token came to.
pub enum Renewal {
    /// A new access token and the next refresh token.
    Renewed {
        /// The access token.
        access: AccessToken,
        /// The refresh token to use next.
        refresh: Zeroizing<String>,
        /// The session they belong to.
        session: SessionId,
    },
    /// Unknown, malformed, expired or ended.
    Refused,
    /// Two parties hold this family: it has ended, with its session.
    Reused,
    /// Too many renewals of this family; nothing was consumed.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
}

/// Everything a renewal may need, drawn before the transaction that may run twice.
struct Attempt {
    op: Op,
    token: PresentedToken,
    network: Option<Vec<u8>>,
    overlap_ms: i64,
    /// The id of the event, should there be one.
    event: EventId,
    revocations: RevocationBatch,
    /// What the limit of the family said: asked once, however often the transaction runs.
    admitted: OnceLock<Result<(), u32>>,
    /// The mail about a copied token, once one was found; none for a user who is gone meanwhile.
    notice: OnceLock<Option<Parcel>>,
}

impl Attempt {
    fn event(&self, action: Action) -> EventDraft {
        EventDraft::with_id(self.event, &self.op, action).subject(self.token.family_id())
    }
}

/// How the transaction of a renewal ended.
enum Outcome {
    Issue {
        generation: Generation,
        session: Box<Session>,
        salt: Salt,
    },
    Refused,
    SlowDown(u32),
    Ended(SessionId),
    /// The token is a copy. Nothing is changed yet: the mail has to be written first.
    Copied(Box<Session>),
    /// Another renewal moved the row between reading and writing it.
    Overtaken,
}

impl App {
    /// A new access token for the session the caller acts through.
    pub async fn mint_access_token(&self, op: &Op, principal: &Principal) -> Result<Option<AccessToken>, Failure> {
        let id = principal.session_id;
        let session = match self.session_cache.find(id, op.now) {
            Some(live) => live.session.clone(),
            None => match self.store.read(move |tx| sessions::find(tx, id)).await? {
                Some(session) => session,
                None => return Ok(None),
            },
        };
        self.issue_access_token(op, &session)
    }

    /// An access token that never outlives `session`; none when that ends within the second.
    pub(crate) fn issue_access_token(&self, op: &Op, session: &Session) -> Result<Option<AccessToken>, Failure> {
        let amr = read_amr(session)?;
        let grant = AccessGrant {
            subject: session.user_id,
            session_id: session.id,
            session_expires_at: session.expires_at,
            authenticated_at: session.authenticated_at,
            client_id: FIRST_PARTY,
            acr: &session.acr,
            amr: &amr,
            scope: FIRST_PARTY_SCOPE,
        };
        match self.keys.issue_access_token(&grant, op.now, op.random.as_ref()) {
            Ok(issued) => Ok(Some(AccessToken { text: issued.text, expires_in: issued.expires_in_seconds })),
            Err(IssueError::SessionOver) => Ok(None),
            Err(error) => Err(Failure::internal("issuing an access token", error)),
        }
    }

    /// Renews by refresh token: DESIGN's rotating credential.
    ///
    /// One transaction and nothing before it; a copy found is ended by a second one. That a forged token reaches the
    /// writer is bounded by the limit on refused credentials, and costs it one look-up.
    pub async fn renew(&self, op: &Op, text: &str) -> Result<Renewal, Failure> {
        let Some(token) = PresentedToken::parse(text) else {
            return Ok(Renewal::Refused);
        };
        let attempt = Arc::new(self.attempt(op, token));
        for _ in 0..MOST_RACES {
            let (app, again) = (self.clone(), Arc::clone(&attempt));
            match self.change(move |change| app.settle_in(change, &again)).await? {
                Outcome::Issue { generation, session, salt } => {
                    return self.renewed(&attempt, generation, &session, &salt);
                }
                Outcome::Refused => return Ok(Renewal::Refused),
                Outcome::SlowDown(retry_after_seconds) => return Ok(Renewal::SlowDown { retry_after_seconds }),
                Outcome::Ended(session) => {
                    self.session_cache.forget(&[session]);
                    metrics::counter!("token_reuse_total").increment(1);
                    return Ok(Renewal::Reused);
                }
                Outcome::Copied(session) => {
                    let notice = self.reuse_notice(op, &session).await?;
                    attempt.notice.get_or_init(|| notice);
                }
                Outcome::Overtaken => {}
            }
        }
        Err(Failure::internal("renewing a token", "the row kept moving"))
    }

    fn attempt(&self, op: &Op, token: PresentedToken) -> Attempt {
        Attempt {
            op: op.clone(),
            token,
            network: op.address.map(|address| self.network_hash(address)),
            overlap_ms: self.settings.sessions.overlap_ms,
            event: EventId::new(op.now, op.random.as_ref()),
            revocations: RevocationBatch::new(op),
            admitted: OnceLock::new(),
            notice: OnceLock::new(),
        }
    }

    /// What the holder of a token gets for it.
    fn renewed(
        &self,
        attempt: &Attempt,
        generation: Generation,
        session: &Session,
        salt: &Salt,
    ) -> Result<Renewal, Failure> {
        let Some(access) = self.issue_access_token(&attempt.op, session)? else {
            return Ok(Renewal::Refused);
        };
        let refresh = self.keys.refresh_mac().token(attempt.token.family_id(), generation, salt);
        self.session_cache.see_later(session.id, attempt.op.now);
        metrics::counter!("token_renewals_total").increment(1);
        Ok(Renewal::Renewed { access, refresh, session: session.id })
    }

    /// The mail that says a token of `session` was copied.
    ///
    /// Written between two transactions, so that neither every renewal pays for a mail that nearly none sends nor a
    /// transaction waits for one. The second decides anew.
    async fn reuse_notice(&self, op: &Op, session: &Session) -> Result<Option<Parcel>, Failure> {
        let id = session.user_id;
        let Some(user) = self.store.read(move |tx| users::find(tx, id)).await? else {
            return Ok(None);
        };
        let mut incident = Self::incident(op);
        incident.device.clone_from(&session.device_label);
        let letter = Letter::TokenReused { incident, forgot_link: self.link("/forgot") };
        self.pack(op, Addressee::of(&user), &letter).map(Some)
    }

    fn settle_in(&self, change: &mut Change<'_, '_>, attempt: &Attempt) -> Result<Outcome, Failure> {
        let found = token_families::find_with_session(change.tx, attempt.token.family_id())?;
        let Some((row, session)) = found else {
            change.quietly();
            return Ok(Outcome::Refused);
        };
        let salt = read_salt(&row)?;
        if !self.keys.refresh_mac().verifies(&attempt.token, &salt) {
            change.quietly();
            return Ok(Outcome::Refused);
        }
        let now = attempt.op.now;
        if let Err(seconds) = *attempt.admitted.get_or_init(|| self.renewals.admit(row.id, now)) {
            change.quietly();
            return Ok(Outcome::SlowDown(seconds));
        }
        // A dead session makes every token of it dead, but a copy of a token is worth telling all the same only
        // while there is something left to end.
        if usable(&session, session.last_seen_at.max(row.issued_at), now).is_err() {
            change.quietly();
            return Ok(Outcome::Refused);
        }
        decide_in(change, attempt, &row, session, salt)
    }
}

fn decide_in(
    change: &mut Change<'_, '_>,
    attempt: &Attempt,
    row: &TokenFamily,
    session: Session,
    salt: Salt,
) -> Result<Outcome, Failure> {
    let now = attempt.op.now;
    let issue = |generation, session| Outcome::Issue { generation, session: Box::new(session), salt };
    match read_family(row)?.decide(attempt.token.generation(), now, attempt.overlap_ms) {
        Decision::Refused => {
            change.quietly();
            Ok(Outcome::Refused)
        }
        Decision::Repeat(generation) => {
            change.quietly();
            Ok(issue(generation, session))
        }
        Decision::Rotate(step) => {
            let moved = (row.network != attempt.network).then(|| attempt.event(Action::TokenNetworkChanged));
            let advanced = advance(change, row, step, attempt, moved.as_ref())?;
            Ok(if advanced { issue(step.to.issued, session) } else { Outcome::Overtaken })
        }
        Decision::Recover(step) => {
            let recovered = attempt.event(Action::TokenRecovered);
            let advanced = advance(change, row, step, attempt, Some(&recovered))?;
            Ok(if advanced { issue(step.to.issued, session) } else { Outcome::Overtaken })
        }
        Decision::Reused(how) => {
            let Some(notice) = attempt.notice.get() else {
                change.quietly();
                return Ok(Outcome::Copied(Box::new(session)));
            };
            if !end_reused(change, row, attempt, (how, notice.as_ref()), &session)? {
                change.quietly();
                return Ok(Outcome::Overtaken);
            }
            Ok(Outcome::Ended(session.id))
        }
        Decision::AheadOfDatabase => {
            if !token_families::revoke(change.tx, row.id, now, "restored_state_seen")? {
                change.quietly();
                return Ok(Outcome::Overtaken);
            }
            sessions::revoke(change.tx, session.id, session.user_id, now, "restored_state_seen")?;
            attempt.revocations.insert(change.tx, &[session.id], now)?;
            change.record(&attempt.event(Action::RestoredStateSeen).refused())?;
            Ok(Outcome::Ended(session.id))
        }
    }
}

/// Ends family and session, records it and tells the user; false when somebody else has just done so.
fn end_reused(
    change: &mut Change<'_, '_>,
    row: &TokenFamily,
    attempt: &Attempt,
    (how, notice): (Reuse, Option<&Parcel>),
    session: &Session,
) -> Result<bool, Failure> {
    let now = attempt.op.now;
    if !token_families::revoke(change.tx, row.id, now, "token_reused")? {
        return Ok(false);
    }
    sessions::revoke(change.tx, session.id, session.user_id, now, "token_reused")?;
    attempt.revocations.insert(change.tx, &[session.id], now)?;
    let event = attempt
        .event(Action::TokenReused)
        .refused()
        .data([("how", how.as_str().into()), ("session", session.id.to_string().into())]);
    change.record(&event)?;
    if let Some(notice) = notice {
        change.post(&event, notice)?;
    }
    Ok(true)
}

/// Moves the family on; false when it moved meanwhile.
fn advance(
    change: &mut Change<'_, '_>,
    row: &TokenFamily,
    step: Step,
    attempt: &Attempt,
    event: Option<&EventDraft>,
) -> Result<bool, Failure> {
    let to = Advance { presented: step.to.presented.number(), issued: step.to.issued.number(), at: attempt.op.now };
    let advanced = token_families::advance(change.tx, row, to, attempt.network.as_deref())?;
    match event {
        Some(event) if advanced => change.record(event)?,
        _ => change.quietly(),
    }
    Ok(advanced)
}

fn read_salt(row: &TokenFamily) -> Result<Salt, StoreError> {
    let bytes: [u8; 32] =
        row.salt.as_slice().try_into().map_err(|_| StoreError::Corrupt("a token family has no salt"))?;
    Ok(Salt::from_bytes(bytes))
}

fn read_family(row: &TokenFamily) -> Result<Family, StoreError> {
    let corrupt = || StoreError::Corrupt("a token family is in no known state");
    let mut family = Family::new(row.issued_at, Rotation::parse(&row.rotation).ok_or_else(corrupt)?, row.expires_at);
    family.counters.presented = Generation::from_number(row.presented).ok_or_else(corrupt)?;
    family.counters.issued = Generation::from_number(row.issued).ok_or_else(corrupt)?;
    family.is_revoked = row.revoked_at.is_some();
    Ok(family)
}
