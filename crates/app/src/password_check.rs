//! Checking a password: throttle, hash, decide, in this order, for every place that asks for one.

use doorward_model::password::Password;
use doorward_store::users::{self, UserWithPassword};

use crate::App;
use crate::event::{Action, EventDraft};
use crate::failure::Failure;
use crate::mail::Letter;
use crate::op::Op;
use crate::post::{Addressee, Parcel};
use crate::throttle::{Admission, Attempt, Holder, Reservation, Throttled};

/// Who is asked for a password.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The canonical form of the address that was typed, or the text itself when it is no address.
    pub(crate) canonical: String,
    /// What shows that the owner is asking.
    pub(crate) holder: ClaimedHolder,
}

/// What shows that the owner is asking.
#[derive(Clone, Debug)]
pub(crate) enum ClaimedHolder {
    /// The known-device cookie, if there is one.
    Browser(Option<String>),
    /// A session that is valid.
    Session(doorward_model::id::SessionId),
}

/// A password that was right, for an enabled account.
pub(crate) struct RightPassword {
    pub(crate) user: UserWithPassword,
    pub(crate) attempt: Attempt,
    pub(crate) admission: Admission,
    /// The hash to store instead, when the parameters have changed since it was made.
    pub(crate) rehashed: Option<String>,
}

/// How the check ended.
pub(crate) enum PasswordCheck {
    /// The password fits. The caller's transaction calls `Throttle::succeed`.
    Right(Box<RightPassword>),
    /// It does not, or there is no such account, or it has no password, or may not use it. Counted and recorded.
    Wrong,
    /// Not looked at. Counted and recorded.
    SlowDown {
        /// When to try again, in seconds.
        retry_after_seconds: u32,
    },
}

impl App {
    /// Checks `password` for the account of `claim`. Unknown, disabled and password-less accounts take the same
    /// steps and the same time.
    pub(crate) async fn check_password(
        &self,
        op: &Op,
        claim: Claim,
        password: Password,
    ) -> Result<PasswordCheck, Failure> {
        let (reserved, found) = self.reserve_attempt(op, claim).await?;
        let (attempt, admission) = match reserved {
            Ok(admitted) => admitted,
            Err(throttled) => {
                return Ok(PasswordCheck::SlowDown { retry_after_seconds: throttled.retry_after_seconds });
            }
        };
        let stored = found
            .as_ref()
            .filter(|found| found.user.disabled_at.is_none())
            .and_then(|found| found.password.as_ref())
            .map(|stored| stored.phc.clone());
        let can_match = stored.is_some();
        let verdict = match self.hasher.verify(password.clone(), stored).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.give_back(admission).await;
                return Err(error.into());
            }
        };
        let fits = admission.accepts(verdict.matches & can_match);
        let Some(user) = found.clone().filter(|_| fits) else {
            self.record_wrong_password(op, admission, found).await?;
            return Ok(PasswordCheck::Wrong);
        };
        let rehashed = if verdict.needs_rehash {
            let salt = doorward_model::random::bytes(op.random.as_ref());
            // A pool that is full now must not refuse a password that was right: the next sign-in rehashes.
            self.hasher.hash(password, salt).await.ok()
        } else {
            None
        };
        Ok(PasswordCheck::Right(Box::new(RightPassword { user, attempt, admission, rehashed })))
    }

    async fn reserve_attempt(
        &self,
        op: &Op,
        claim: Claim,
    ) -> Result<(Result<(Attempt, Admission), Throttled>, Option<UserWithPassword>), Failure> {
        let subject = self.throttle.subject(&claim.canonical);
        let devices = match &claim.holder {
            ClaimedHolder::Browser(cookie) => self.device_cookies.open(cookie.as_deref(), op.now),
            ClaimedHolder::Session(_) => crate::devices::DeviceList::default(),
        };
        let event = EventDraft::new(op, Action::SignIn).refused();
        let (throttle, network, now) = (self.throttle.clone(), Self::network(op), op.now);
        let (reservation, attempt, found) = self
            .change(move |change| {
                let found = users::find_with_password(change.tx, &claim.canonical)?;
                let user = found.as_ref().map(|found| found.user.id);
                let holder = match &claim.holder {
                    ClaimedHolder::Session(id) => Holder::Session(*id),
                    ClaimedHolder::Browser(_) => {
                        user.and_then(|user| devices.device_of(user)).map_or(Holder::Nobody, Holder::Device)
                    }
                };
                let attempt = Attempt { subject, user, network, holder, now };
                let reservation = throttle.reserve(change.tx, &attempt)?;
                match &reservation {
                    Reservation::Throttled(Throttled { limiter, report: Some(count), .. }) => {
                        let event = match user {
                            Some(user) => event.clone().subject(user),
                            None => event.clone(),
                        };
                        change.record(&event.data([
                            ("reason", "throttled".into()),
                            ("limiter", limiter.name().into()),
                            ("count", (*count).into()),
                        ]))?;
                    }
                    Reservation::Throttled(_) | Reservation::Admitted(_) => change.quietly(),
                }
                Ok((reservation, attempt, found))
            })
            .await?;
        match reservation.observed() {
            Reservation::Admitted(admission) => Ok((Ok((attempt, admission)), found)),
            Reservation::Throttled(throttled) => Ok((Err(throttled), found)),
        }
    }

    /// Takes back a reservation whose password was never looked at: an overload must not count against anybody.
    async fn give_back(&self, admission: Admission) {
        let throttle = self.throttle.clone();
        let given = self
            .change(move |change| {
                change.quietly();
                Ok(throttle.give_back(change.tx, &admission)?)
            })
            .await;
        if let Err(failure) = given {
            tracing::warn!(error = &failure as &dyn std::error::Error, "an attempt nobody looked at stays counted");
        }
    }

    async fn record_wrong_password(
        &self,
        op: &Op,
        admission: Admission,
        found: Option<UserWithPassword>,
    ) -> Result<(), Failure> {
        let wrong = EventDraft::new(op, Action::SignIn).refused();
        let switched_off = EventDraft::new(op, Action::PasswordSwitchedOff);
        let throttle = self.throttle.clone();
        let notice = self.switch_off_notice(op, &admission, found.as_ref())?;
        metrics::counter!("sign_ins_total", "method" => "password", "outcome" => "refused").increment(1);
        self.change(move |change| {
            let failure = throttle.fail(change.tx, &admission)?;
            if let (Some(id), Some(notice)) = (failure.switched_off, &notice) {
                // One event for this change; it carries what the refusal's own would have reported.
                let event = switched_off.clone().subject(id).data([("count", failure.report.into())]);
                change.record(&event)?;
                return change.post(&event, notice);
            }
            let Some(count) = failure.report else {
                change.quietly();
                return Ok(());
            };
            let reason = if admission.is_switched_off() { "switched_off" } else { "wrong_credentials" };
            let event = match &found {
                Some(found) => wrong.clone().subject(found.user.id),
                None => wrong.clone(),
            };
            change.record(&event.data([("reason", reason.into()), ("count", count.into())]))
        })
        .await
    }

    /// The mail that may have to go out with this failure, written before the transaction. For an address without an
    /// account it is written and thrown away: both take the same time.
    fn switch_off_notice(
        &self,
        op: &Op,
        admission: &Admission,
        found: Option<&UserWithPassword>,
    ) -> Result<Option<Parcel>, Failure> {
        if !admission.may_switch_off() {
            return Ok(None);
        }
        let letter = Letter::PasswordSwitchedOff { at: op.now, forgot_link: self.link("/forgot") };
        let nobody = Addressee { email: "nobody@example.com", name: None, locale: None };
        self.pack(op, found.map_or(nobody, |found| Addressee::of(&found.user)), &letter).map(Some)
    }
}

#[cfg(test)]
mod tests;
