//! The rotating credential: what presenting a refresh token comes to. The same rules for first-party applications, whose
//! tokens renew a session, and for clients, whose tokens renew a grant.

use std::sync::{Arc, OnceLock};

use doorward_model::id::{EventId, FamilyId, UserId};
use doorward_model::rotation::{Decision, Family, Generation, PresentedToken, Reuse, Rotation, Salt, Step};
use doorward_store::token_families::{self, Advance, TokenFamily};
use doorward_store::{StoreError, Tx, users};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::App;
use crate::change::Change;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::op::Op;
use crate::post::{Addressee, Parcel};
use crate::revocations::RevocationBatch;

/// Each lost race means that somebody else's renewal was committed, so few are lost in a row.
const MOST_RACES: usize = 100;

/// Whoever presents a refresh token.
pub(crate) trait Presenter: Send + Sync + 'static {
    /// What their tokens renew.
    type Held: Send + 'static;
    /// Why nothing is renewed although the token is right and stays as it is.
    type Unfit: Send + 'static;

    /// The family and what it renews; none when it is not of the kind that this presenter may have.
    fn find(&self, tx: &mut Tx<'_>, id: FamilyId) -> Result<Option<(TokenFamily, Self::Held)>, StoreError>;

    /// Whether the family is bound to them. Asked before anything else about the token: to anybody else it is nothing.
    fn is_bound(&self, family: &TokenFamily, held: &Self::Held) -> bool;

    /// Whether what it renews lives.
    fn is_alive(&self, op: &Op, family: &TokenFamily, held: &Self::Held) -> bool;

    /// Whether they may have what they ask for; asked before the token is used up.
    fn check(&self, held: &Self::Held) -> Result<(), Self::Unfit>;

    /// Ends what the family renews.
    fn end(
        change: &mut Change<'_, '_>,
        held: &Self::Held,
        op: &Op,
        list: RevocationBatch,
        why: &str,
    ) -> Result<(), StoreError>;

    /// Drops what this node remembers of it.
    fn forget(app: &App, held: &Self::Held);

    /// Whose it is.
    fn user(held: &Self::Held) -> UserId;

    /// What the person knows the holder by: a device, or an application.
    fn label(&self, held: &Self::Held) -> String;

    /// What it is, for the record.
    fn fact(held: &Self::Held) -> (&'static str, Value);
}

/// What presenting a refresh token came to.
pub(crate) enum Presentation<P: Presenter> {
    /// It was good: the next one.
    Issue {
        /// The token to use next.
        next: Zeroizing<String>,
        /// What it renews.
        held: Box<P::Held>,
    },
    /// It was good, and nothing changed: they may not have what they asked for.
    Unfit(P::Unfit),
    /// Unknown, malformed, expired, ended, or bound to somebody else.
    Refused,
    /// Two parties hold this family: it has ended, with what it renewed.
    Reused,
    /// Too many renewals of this family; nothing was consumed. When to try again, in seconds.
    SlowDown(u32),
}

/// Everything a renewal may need, drawn before the transaction that may run twice.
struct Attempt<P> {
    op: Op,
    presenter: P,
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

impl<P> Attempt<P> {
    fn event(&self, action: Action) -> EventDraft {
        EventDraft::with_id(self.event, &self.op, action).subject(self.token.family_id())
    }
}

/// How the transaction of a renewal ended.
enum Outcome<P: Presenter> {
    Issue {
        generation: Generation,
        held: Box<P::Held>,
        salt: Salt,
    },
    Unfit(P::Unfit),
    Refused,
    SlowDown(u32),
    Ended(Box<P::Held>),
    /// The token is a copy. Nothing is changed yet: the mail has to be written first.
    Copied(Box<P::Held>),
    /// Another renewal moved the row between reading and writing it.
    Overtaken,
}

impl App {
    /// Renews by refresh token: DESIGN's rotating credential.
    ///
    /// One transaction and nothing before it; a copy found is ended by a second one. That a forged token reaches the
    /// writer is bounded by the limit on refused credentials, and costs it one look-up.
    pub(crate) async fn present<P: Presenter>(
        &self,
        op: &Op,
        text: &str,
        presenter: P,
    ) -> Result<Presentation<P>, Failure> {
        let Some(token) = PresentedToken::parse(text) else {
            return Ok(Presentation::Refused);
        };
        let attempt = Arc::new(self.attempt(op, token, presenter));
        for _ in 0..MOST_RACES {
            let (app, again) = (self.clone(), Arc::clone(&attempt));
            match self.change(move |change| app.settle_in(change, &again)).await? {
                Outcome::Issue { generation, held, salt } => {
                    let next = self.keys.refresh_mac().token(attempt.token.family_id(), generation, &salt);
                    return Ok(Presentation::Issue { next, held });
                }
                Outcome::Unfit(why) => return Ok(Presentation::Unfit(why)),
                Outcome::Refused => return Ok(Presentation::Refused),
                Outcome::SlowDown(retry_after_seconds) => return Ok(Presentation::SlowDown(retry_after_seconds)),
                Outcome::Ended(held) => {
                    P::forget(self, &held);
                    metrics::counter!("token_reuse_total").increment(1);
                    return Ok(Presentation::Reused);
                }
                Outcome::Copied(held) => {
                    let notice = self.reuse_notice(op, P::user(&held), attempt.presenter.label(&held)).await?;
                    attempt.notice.get_or_init(|| notice);
                }
                Outcome::Overtaken => {}
            }
        }
        Err(Failure::internal("renewing a token", "the row kept moving"))
    }

    fn attempt<P>(&self, op: &Op, token: PresentedToken, presenter: P) -> Attempt<P> {
        Attempt {
            op: op.clone(),
            presenter,
            token,
            network: op.address.map(|address| self.network_hash(address)),
            overlap_ms: self.settings.sessions.overlap_ms,
            event: EventId::new(op.now, op.random.as_ref()),
            revocations: RevocationBatch::new(op),
            admitted: OnceLock::new(),
            notice: OnceLock::new(),
        }
    }

    /// The mail that says a token was copied.
    ///
    /// Written between two transactions, so that neither every renewal pays for a mail that nearly none sends nor a
    /// transaction waits for one. The second decides anew.
    async fn reuse_notice(&self, op: &Op, user: UserId, holder: String) -> Result<Option<Parcel>, Failure> {
        let Some(user) = self.store.read(move |tx| users::find(tx, user)).await? else {
            return Ok(None);
        };
        let mut incident = Self::incident(op);
        incident.device = holder;
        let letter = Letter::TokenReused { incident, forgot_link: self.link("/forgot") };
        self.pack(op, Addressee::of(&user), &letter).map(Some)
    }

    fn settle_in<P: Presenter>(
        &self,
        change: &mut Change<'_, '_>,
        attempt: &Attempt<P>,
    ) -> Result<Outcome<P>, Failure> {
        let quiet = |change: &mut Change<'_, '_>, outcome| {
            change.quietly();
            Ok(outcome)
        };
        let Some((row, held)) = attempt.presenter.find(change.tx, attempt.token.family_id())? else {
            return quiet(change, Outcome::Refused);
        };
        let salt = read_salt(&row)?;
        if !self.keys.refresh_mac().verifies(&attempt.token, &salt) || !attempt.presenter.is_bound(&row, &held) {
            return quiet(change, Outcome::Refused);
        }
        let now = attempt.op.now;
        if let Err(seconds) = *attempt.admitted.get_or_init(|| self.renewals.admit(row.id, now)) {
            return quiet(change, Outcome::SlowDown(seconds));
        }
        // What a dead session or grant gave is dead, but a copy of a token is worth telling all the same only while there
        // is something left to end.
        if row.revoked_at.is_some() || !attempt.presenter.is_alive(&attempt.op, &row, &held) {
            return quiet(change, Outcome::Refused);
        }
        if let Err(why) = attempt.presenter.check(&held) {
            return quiet(change, Outcome::Unfit(why));
        }
        decide_in(change, attempt, &row, held, salt)
    }
}

fn decide_in<P: Presenter>(
    change: &mut Change<'_, '_>,
    attempt: &Attempt<P>,
    row: &TokenFamily,
    held: P::Held,
    salt: Salt,
) -> Result<Outcome<P>, Failure> {
    let now = attempt.op.now;
    let issue = |generation, held| Outcome::Issue { generation, held: Box::new(held), salt };
    match read_family(row)?.decide(attempt.token.generation(), now, attempt.overlap_ms) {
        Decision::Refused => {
            change.quietly();
            Ok(Outcome::Refused)
        }
        Decision::Repeat(generation) => {
            change.quietly();
            Ok(issue(generation, held))
        }
        Decision::Rotate(step) => {
            let moved = (row.network != attempt.network).then(|| attempt.event(Action::TokenNetworkChanged));
            let advanced = advance(change, row, step, attempt, moved.as_ref())?;
            Ok(if advanced { issue(step.to.issued, held) } else { Outcome::Overtaken })
        }
        Decision::Recover(step) => {
            let recovered = attempt.event(Action::TokenRecovered);
            let advanced = advance(change, row, step, attempt, Some(&recovered))?;
            Ok(if advanced { issue(step.to.issued, held) } else { Outcome::Overtaken })
        }
        Decision::Reused(how) => {
            let Some(notice) = attempt.notice.get() else {
                change.quietly();
                return Ok(Outcome::Copied(Box::new(held)));
            };
            if !end_reused(change, row, attempt, (how, notice.as_ref()), &held)? {
                change.quietly();
                return Ok(Outcome::Overtaken);
            }
            Ok(Outcome::Ended(Box::new(held)))
        }
        Decision::AheadOfDatabase => {
            let why = "restored_state_seen";
            if !token_families::revoke(change.tx, row.id, now, why)? {
                change.quietly();
                return Ok(Outcome::Overtaken);
            }
            P::end(change, &held, &attempt.op, attempt.revocations, why)?;
            change.record(&attempt.event(Action::RestoredStateSeen).refused())?;
            Ok(Outcome::Ended(Box::new(held)))
        }
    }
}

/// Ends the family and what it renews, records it and tells the user; false when somebody else has just done so.
fn end_reused<P: Presenter>(
    change: &mut Change<'_, '_>,
    row: &TokenFamily,
    attempt: &Attempt<P>,
    (how, notice): (Reuse, Option<&Parcel>),
    held: &P::Held,
) -> Result<bool, Failure> {
    let why = "token_reused";
    if !token_families::revoke(change.tx, row.id, attempt.op.now, why)? {
        return Ok(false);
    }
    P::end(change, held, &attempt.op, attempt.revocations, why)?;
    let event = attempt.event(Action::TokenReused).refused().data([("how", how.as_str().into()), P::fact(held)]);
    change.record(&event)?;
    if let Some(notice) = notice {
        change.post(&event, notice)?;
    }
    Ok(true)
}

/// Moves the family on; false when it moved meanwhile.
fn advance<P>(
    change: &mut Change<'_, '_>,
    row: &TokenFamily,
    step: Step,
    attempt: &Attempt<P>,
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

/// What the MACs of a family are salted with.
pub(crate) fn read_salt(row: &TokenFamily) -> Result<Salt, StoreError> {
    let bytes: [u8; 32] =
        row.salt.as_slice().try_into().map_err(|_| StoreError::Corrupt("a token family has no salt"))?;
    Ok(Salt::from_bytes(bytes))
}

/// The state of a family.
pub(crate) fn read_family(row: &TokenFamily) -> Result<Family, StoreError> {
    let corrupt = || StoreError::Corrupt("a token family is in no known state");
    let mut family = Family::new(row.issued_at, Rotation::parse(&row.rotation).ok_or_else(corrupt)?, row.expires_at);
    family.counters.presented = Generation::from_number(row.presented).ok_or_else(corrupt)?;
    family.counters.issued = Generation::from_number(row.issued).ok_or_else(corrupt)?;
    family.is_revoked = row.revoked_at.is_some();
    Ok(family)
}
