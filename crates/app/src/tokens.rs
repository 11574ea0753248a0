//! Access tokens, and the refresh tokens that renew them.

use doorward_model::id::SessionId;
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
use crate::post::Addressee;
use crate::sessions::{RevocationBatch, usable};

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
#[derive(Clone)]
struct Attempt {
    generation: Generation,
    network: Option<Vec<u8>>,
    overlap_ms: i64,
    recovered: EventDraft,
    moved: EventDraft,
    reused: EventDraft,
    restored: EventDraft,
    revocations: RevocationBatch,
    op: Op,
}

/// How the transaction of a renewal ended.
enum Outcome {
    Issue {
        generation: Generation,
        session: Box<Session>,
    },
    Refused,
    Ended(SessionId),
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
        let amr: Vec<String> = serde_json::from_str(&session.amr)
            .map_err(|error| Failure::internal("reading how a session was authenticated", error))?;
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
    pub async fn renew(&self, op: &Op, text: &str) -> Result<Renewal, Failure> {
        let Some(token) = PresentedToken::parse(text) else {
            return Ok(Renewal::Refused);
        };
        let id = token.family_id();
        let Some(family) = self.store.read(move |tx| token_families::find(tx, id)).await? else {
            return Ok(Renewal::Refused);
        };
        let salt = read_salt(&family)?;
        if !self.keys.refresh_mac().verifies(&token, &salt) {
            return Ok(Renewal::Refused);
        }
        if let Err(retry_after_seconds) = self.renewals.admit(id, op.now) {
            return Ok(Renewal::SlowDown { retry_after_seconds });
        }
        match self.settle(op, &family, token.generation()).await? {
            Outcome::Issue { generation, session } => {
                let Some(access) = self.issue_access_token(op, &session)? else {
                    return Ok(Renewal::Refused);
                };
                let refresh = self.keys.refresh_mac().token(id, generation, &salt);
                self.session_cache.see_later(session.id, op.now);
                metrics::counter!("token_renewals_total").increment(1);
                Ok(Renewal::Renewed { access, refresh, session: session.id })
            }
            Outcome::Refused | Outcome::Overtaken => Ok(Renewal::Refused),
            Outcome::Ended(session) => {
                self.session_cache.forget(&[session]);
                metrics::counter!("token_reuse_total").increment(1);
                Ok(Renewal::Reused)
            }
        }
    }

    async fn settle(&self, op: &Op, family: &TokenFamily, generation: Generation) -> Result<Outcome, Failure> {
        let attempt = Attempt {
            generation,
            network: op.address.map(|address| self.network_hash(address)),
            overlap_ms: self.settings.sessions.overlap_ms,
            recovered: EventDraft::new(op, Action::TokenRecovered).subject(family.id),
            moved: EventDraft::new(op, Action::TokenNetworkChanged).subject(family.id),
            reused: EventDraft::new(op, Action::TokenReused).subject(family.id).refused(),
            restored: EventDraft::new(op, Action::RestoredStateSeen).subject(family.id).refused(),
            revocations: RevocationBatch::new(op),
            op: op.clone(),
        };
        let id = family.id;
        for _ in 0..MOST_RACES {
            let attempt = attempt.clone();
            let app = self.clone();
            let outcome = self
                .change(move |change| {
                    let Some(row) = token_families::find(change.tx, id)? else {
                        change.quietly();
                        return Ok(Outcome::Refused);
                    };
                    app.settle_in(change, &row, &attempt)
                })
                .await?;
            if !matches!(outcome, Outcome::Overtaken) {
                return Ok(outcome);
            }
        }
        Err(Failure::internal("renewing a token", "the row kept moving"))
    }

    fn settle_in(&self, change: &mut Change<'_, '_>, row: &TokenFamily, attempt: &Attempt) -> Result<Outcome, Failure> {
        let now = attempt.op.now;
        let session = sessions::find(change.tx, row.session_id)?;
        let usable_session = session.filter(|session| {
            let last_seen = session.last_seen_at.max(row.issued_at);
            usable(session, last_seen, now).is_ok()
        });
        let decision = read_family(row)?.decide(attempt.generation, now, attempt.overlap_ms);
        // A dead session makes every token of it dead, but a copy of a token is worth telling all the same only
        // while there is something left to end.
        let Some(session) = usable_session else {
            change.quietly();
            return Ok(Outcome::Refused);
        };
        match decision {
            Decision::Refused => {
                change.quietly();
                Ok(Outcome::Refused)
            }
            Decision::Repeat(generation) => {
                change.quietly();
                Ok(Outcome::Issue { generation, session: Box::new(session) })
            }
            Decision::Rotate(step) => {
                let came_from_elsewhere = row.network != attempt.network;
                let event = came_from_elsewhere.then_some(&attempt.moved);
                advance(change, row, step, attempt, event, session)
            }
            Decision::Recover(step) => advance(change, row, step, attempt, Some(&attempt.recovered), session),
            Decision::Reused(how) => {
                if !self.end_reused(change, row, attempt, how, &session)? {
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
                change.record(&attempt.restored)?;
                Ok(Outcome::Ended(session.id))
            }
        }
    }

    /// Ends family and session, records it and tells the user; false when somebody else has just done so.
    fn end_reused(
        &self,
        change: &mut Change<'_, '_>,
        row: &TokenFamily,
        attempt: &Attempt,
        how: Reuse,
        session: &Session,
    ) -> Result<bool, Failure> {
        let now = attempt.op.now;
        if !token_families::revoke(change.tx, row.id, now, "token_reused")? {
            return Ok(false);
        }
        sessions::revoke(change.tx, session.id, session.user_id, now, "token_reused")?;
        attempt.revocations.insert(change.tx, &[session.id], now)?;
        let event =
            attempt.reused.clone().data([("how", how.as_str().into()), ("session", session.id.to_string().into())]);
        change.record(&event)?;
        if let Some(user) = users::find(change.tx, session.user_id)? {
            let mut incident = Self::incident(&attempt.op);
            incident.device.clone_from(&session.device_label);
            let letter = Letter::TokenReused { incident, forgot_link: self.link("/forgot") };
            let parcel = self.pack(&attempt.op, Addressee::of(&user), &letter)?;
            change.post(&event, &parcel)?;
        }
        Ok(true)
    }
}

fn advance(
    change: &mut Change<'_, '_>,
    row: &TokenFamily,
    step: Step,
    attempt: &Attempt,
    event: Option<&EventDraft>,
    session: Session,
) -> Result<Outcome, Failure> {
    let to = Advance { presented: step.to.presented.number(), issued: step.to.issued.number(), at: attempt.op.now };
    if !token_families::advance(change.tx, row, to, attempt.network.as_deref())? {
        change.quietly();
        return Ok(Outcome::Overtaken);
    }
    match event {
        Some(event) => change.record(event)?,
        None => change.quietly(),
    }
    Ok(Outcome::Issue { generation: step.to.issued, session: Box::new(session) })
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
