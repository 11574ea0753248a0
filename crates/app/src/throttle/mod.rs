//! The sign-in throttle: who may have a password checked now, and who has to wait.
//!
//! Every place that checks a password (sign-in, password change, step-up) does the same four things:
//!
//! 1. in one write transaction find the account, then [`Throttle::reserve`]; a [`Reservation::Throttled`] is
//!    the answer, without hashing;
//! 2. hash outside of it, whether or not there is an account;
//! 3. ask [`Admission::accepts`]: a password that is switched off for strangers costs the same and never fits;
//! 4. in the transaction that commits the outcome, [`Throttle::fail`], or, once **all** factors are shown,
//!    [`Throttle::succeed`].
//!
//! An attempt is counted when it is reserved, so a crash, a lost answer or a missing second factor leaves it
//! counted. `docs/abuse-controls.md` explains the lanes and shows every number.

mod lanes;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorward_model::id::{DeviceId, SessionId, UserId};
use doorward_model::network::Network;
use doorward_model::throttle::{InvalidPolicy, RowKey, RowKind, Subject, SubjectKey, ThrottlePolicy};
use doorward_model::time::Timestamp;
use doorward_store::attempts::{self, Growth};
use doorward_store::{StoreError, Tx};
use metrics::counter;

pub(crate) use lanes::DEVICE_LIFE_MS;

/// The throttle of one server process. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Throttle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    policy: ThrottlePolicy,
    key: SubjectKey,
    /// About how many rows the tables hold: counted by the sweep, and counted up by this node in between.
    rows: AtomicI64,
}

/// One attempt to show a password.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The address that was typed, from [`Throttle::subject`].
    pub subject: Subject,
    /// The account of that address, if there is one, whatever its state.
    pub user: Option<UserId>,
    /// Where the request comes from.
    pub network: Network,
    /// What the request carries that only the owner can have.
    pub holder: Holder,
    /// When.
    pub now: Timestamp,
}

/// What a request carries that only the owner of the account can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nothing.
    Nobody,
    /// The known-device cookie names a device of this account. [`Throttle::reserve`] checks that it is not
    /// forgotten; until then it is a claim.
    Device(DeviceId),
    /// A valid session of this account, for a password shown again.
    Session(SessionId),
}

/// The budget an attempt was counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Anybody's: network, account and network, account, and the hard bound.
    Strangers,
    /// One known device's own.
    Device(DeviceId),
    /// One session's own.
    Session(SessionId),
}

/// The answer to a reservation.
#[derive(Clone, Copy, Debug)]
pub enum Reservation {
    /// Go on and hash.
    Admitted(Admission),
    /// Do not hash; say when to come back.
    Throttled(Throttled),
}

/// The right to have one password checked.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    attempt: Attempt,
    lane: Lane,
    is_switched_off: bool,
    /// The strangers' run is at its bound with this attempt: its failure may switch the password off.
    is_at_bound: bool,
    /// It is also counted among the known devices of its network.
    in_device_network: bool,
}

/// A refusal without hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// The value of `Retry-After`.
    pub retry_after_seconds: u32,
    /// Which limiter refused: for metrics and events, not for the answer.
    pub limiter: Limiter,
    /// `Some(n)`: write an event now, for `n` refusals (those of the last quiet minute included). None: the
    /// event of this minute is written already. A [`Limiter::Network`] report is about the network (many
    /// accounts tried from one place), any other about account and network.
    pub report: Option<i64>,
}

/// A limiter that can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limiter {
    /// Strangers of one network.
    Network,
    /// Strangers of one network on one account.
    Pair,
    /// All strangers on one account.
    Account,
    /// One known device or session.
    Device,
    /// All known devices of one network, beyond each one's first attempts.
    DeviceNetwork,
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `Some(n)`: write an event now, for `n` failures from this network on this account. None: this minute's
    /// is written already.
    pub report: Option<i64>,
    /// The password of this account was switched off for unknown devices just now: tell the owner. Set once
    /// until the owner returns.
    pub switched_off: Option<UserId>,
}

impl Limiter {
    /// The metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Pair => "pair",
            Self::Account => "account",
            Self::Device => "device",
            Self::DeviceNetwork => "device_network",
        }
    }
}

impl Admission {
    /// Whether the attempt goes on: the password fits, and it is not switched off for this lane. To be asked
    /// after hashing, so that both refusals take the same time.
    pub fn accepts(&self, password_fits: bool) -> bool {
        password_fits && !self.is_switched_off
    }

    /// The budget this attempt was counted in. A sign-in that ends in a later request (second factor) keeps it
    /// with the challenge, for [`Throttle::succeed`].
    pub const fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether the failure of this attempt may switch the password off, so that the owner must be told. Known before the
    /// transaction that fails it, and the same for addresses without an account.
    pub const fn may_switch_off(&self) -> bool {
        self.is_at_bound
    }

    /// The password is switched off for unknown devices: for the event, never for the answer.
    pub const fn is_switched_off(&self) -> bool {
        self.is_switched_off
    }
}

impl Reservation {
    /// Counts a refusal in the metrics; call it once, after the transaction (whose closure may run again).
    #[must_use]
    pub fn observed(self) -> Self {
        if let Self::Throttled(throttled) = &self {
            counter!("sign_in_throttled_total", "lane" => throttled.limiter.name()).increment(1);
        }
        self
    }
}

impl Throttle {
    /// A throttle with these numbers, whose rows are named under this key.
    pub fn new(policy: ThrottlePolicy, key: SubjectKey) -> Result<Self, InvalidPolicy> {
        policy.validate()?;
        Ok(Self { shared: Arc::new(Shared { policy, key, rows: AtomicI64::new(0) }) })
    }

    /// The subject of a canonical address, with or without an account.
    pub fn subject(&self, canonical_email: &str) -> Subject {
        self.shared.key.subject(canonical_email)
    }

    /// The numbers.
    pub fn policy(&self) -> &ThrottlePolicy {
        &self.shared.policy
    }

    /// Counts the attempt before anything is hashed. Inside a write transaction that commits whatever the
    /// answer is.
    pub fn reserve(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Reservation, StoreError> {
        match self.reserve_own_lane(tx, attempt)? {
            Some(reservation) => Ok(reservation),
            None => self.reserve_as_stranger(tx, attempt),
        }
    }

    /// Records that a reserved attempt failed. It is counted already; this says whether an event is due and
    /// whether the owner must be told.
    pub fn fail(&self, tx: &mut Tx<'_>, admission: &Admission) -> Result<Failure, StoreError> {
        let attempt = &admission.attempt;
        let mut switched_off = None;
        if admission.lane == Lane::Strangers {
            let run = self.shared.key.of_subject(RowKind::Run, attempt.subject);
            // For an address without an account the same statement runs, and nobody is told.
            if attempts::mark_switched_off(tx, &run, &self.shared.policy.run, attempt.now)? {
                switched_off = attempt.user;
            }
        }
        let row = self.shared.key.of_pair(RowKind::Wrong, attempt.subject, attempt.network);
        Ok(Failure { report: self.count_repeat(tx, &row, attempt.now)?, switched_off })
    }

    /// Takes a reservation back whose password was never checked, because the hash pool was full.
    pub fn give_back(&self, tx: &mut Tx<'_>, admission: &Admission) -> Result<(), StoreError> {
        let (key, attempt) = (&self.shared.key, &admission.attempt);
        if admission.in_device_network {
            attempts::give_back_window(tx, &key.of_network(RowKind::DeviceNetwork, attempt.network))?;
        }
        match admission.lane {
            Lane::Device(device) => attempts::give_back_back_off(tx, &key.of_device(RowKind::Device, device)),
            Lane::Session(session) => attempts::give_back_back_off(tx, &key.of_session(RowKind::Device, session)),
            Lane::Strangers => {
                attempts::give_back_window(tx, &key.of_network(RowKind::Network, attempt.network))?;
                attempts::give_back_back_off(tx, &key.of_pair(RowKind::Pair, attempt.subject, attempt.network))?;
                attempts::give_back_window(tx, &key.of_subject(RowKind::Account, attempt.subject))?;
                if !admission.is_switched_off {
                    attempts::give_back_window(tx, &key.of_subject(RowKind::Run, attempt.subject))?;
                }
                Ok(())
            }
        }
    }

    /// Records that somebody showed every factor. Forgets the failures of this lane and the strangers'
    /// consecutive ones, and takes this attempt out of the wider counts; what others did stays counted.
    pub fn succeed(&self, tx: &mut Tx<'_>, attempt: &Attempt, lane: Lane) -> Result<(), StoreError> {
        let key = &self.shared.key;
        match lane {
            Lane::Device(device) => attempts::delete(tx, &key.of_device(RowKind::Device, device))?,
            Lane::Session(session) => attempts::delete(tx, &key.of_session(RowKind::Device, session))?,
            Lane::Strangers => {
                attempts::give_back_window(tx, &key.of_network(RowKind::Network, attempt.network))?;
                attempts::delete(tx, &key.of_pair(RowKind::Pair, attempt.subject, attempt.network))?;
                attempts::give_back_window(tx, &key.of_subject(RowKind::Account, attempt.subject))?;
                true
            }
        };
        self.owner_returned(tx, attempt.subject)
    }

    /// Switches the password on again for unknown devices: after a password reset, and when a sign-up is
    /// confirmed (strangers may have guessed at the address before it had an account).
    pub fn owner_returned(&self, tx: &mut Tx<'_>, subject: Subject) -> Result<(), StoreError> {
        // There is no row when nobody failed since the last time.
        attempts::delete(tx, &self.shared.key.of_subject(RowKind::Run, subject))?;
        Ok(())
    }

    /// Whether rows may still be made.
    pub(crate) fn growth(&self) -> Growth {
        if self.shared.rows.load(Ordering::Relaxed) < self.shared.policy.max_rows {
            Growth::Open
        } else {
            Growth::Closed
        }
    }

    /// Notes that a row was probably made.
    pub(crate) fn note_row(&self, count: i64) {
        if count == 1 {
            self.shared.rows.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn key(&self) -> &SubjectKey {
        &self.shared.key
    }

    /// Counts a refusal of a kind; `Some(n)` when an event is due, for `n` of them.
    pub(crate) fn count_repeat(
        &self,
        tx: &mut Tx<'_>,
        row: &RowKey,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        attempts::count_repeat(tx, row, &self.shared.policy.events, now, self.growth())
    }
}

#[cfg(test)]
mod tests;
