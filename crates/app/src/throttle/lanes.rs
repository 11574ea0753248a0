//! The lanes: which limiters an attempt passes, in which order, and what is taken back when a later one
//! refuses. A refused attempt leaves no count behind, so hammering at a closed door closes no other door.

use doorward_model::throttle::{Decision, RowKey, RowKind, retry_after_seconds};
use doorward_model::time::{DAY_MS, Timestamp};
use doorward_store::attempts::{self, Growth};
use doorward_store::{StoreError, Tx, known_devices};

use super::{Admission, Attempt, Holder, Lane, Limiter, Reservation, Throttle, Throttled};

/// A device unused for so long is forgotten, as its cookie is.
pub(crate) const DEVICE_LIFE_MS: i64 = 365 * DAY_MS;

impl Throttle {
    /// The lane of a known device or a session. None: the attempt counts as a stranger's.
    pub(super) fn reserve_own_lane(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
    ) -> Result<Option<Reservation>, StoreError> {
        let Some((lane, row)) = self.find_own_lane(tx, attempt)? else {
            return Ok(None);
        };
        let policy = &self.shared.policy;
        // Devices are few (a bounded number for each account), so their rows are made even when the table is full.
        let count = match attempts::admit_back_off(tx, &row, &policy.device, attempt.now, Growth::Open)? {
            Decision::Admitted { count } => count,
            Decision::Refused { until } => return self.throttle(tx, attempt, Limiter::Device, until).map(Some),
        };
        if count > policy.device_forgotten_after {
            if let (Lane::Device(device), Some(user)) = (lane, attempt.user) {
                known_devices::delete(tx, device, user)?;
            }
            return Ok(None);
        }
        let in_device_network = count > policy.device_guaranteed;
        if in_device_network {
            let flood = self.shared.key.of_network(RowKind::DeviceNetwork, attempt.network);
            let decision = attempts::admit_window(tx, &flood, &policy.device_network, attempt.now, Growth::Open)?;
            if let Decision::Refused { until } = decision {
                attempts::give_back_back_off(tx, &row)?;
                return self.throttle(tx, attempt, Limiter::DeviceNetwork, until).map(Some);
            }
        }
        Ok(Some(Reservation::Admitted(Admission {
            attempt: *attempt,
            lane,
            is_switched_off: false,
            is_at_bound: false,
            in_device_network,
        })))
    }

    /// The limiters of strangers: network, account and network, account, and the hard bound.
    pub(super) fn reserve_as_stranger(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Reservation, StoreError> {
        let (policy, key, now) = (&self.shared.policy, &self.shared.key, attempt.now);
        let network = key.of_network(RowKind::Network, attempt.network);
        let pair = key.of_pair(RowKind::Pair, attempt.subject, attempt.network);
        let account = key.of_subject(RowKind::Account, attempt.subject);

        match attempts::admit_window(tx, &network, &policy.network, now, Growth::Open)? {
            Decision::Admitted { count } => self.note_row(count),
            Decision::Refused { until } => return self.throttle(tx, attempt, Limiter::Network, until),
        }
        match attempts::admit_back_off(tx, &pair, &policy.pair, now, self.growth())? {
            Decision::Admitted { count } => self.note_row(count),
            Decision::Refused { until } => {
                attempts::give_back_window(tx, &network)?;
                return self.throttle(tx, attempt, Limiter::Pair, until);
            }
        }
        match attempts::admit_window(tx, &account, &policy.account, now, self.growth())? {
            Decision::Admitted { count } => self.note_row(count),
            Decision::Refused { until } => {
                attempts::give_back_window(tx, &network)?;
                attempts::give_back_back_off(tx, &pair)?;
                return self.throttle(tx, attempt, Limiter::Account, until);
            }
        }
        let run = self.admit_run(tx, attempt)?;
        Ok(Reservation::Admitted(Admission {
            attempt: *attempt,
            lane: Lane::Strangers,
            is_switched_off: !run.is_admitted(),
            is_at_bound: match run {
                Decision::Admitted { count } => count >= policy.run.limit,
                Decision::Refused { .. } => true,
            },
            in_device_network: false,
        }))
    }

    /// The hard bound. It refuses invisibly: the attempt goes on, costs a hash, and fails.
    fn admit_run(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Decision, StoreError> {
        let policy = &self.shared.policy;
        let row = self.shared.key.of_subject(RowKind::Run, attempt.subject);
        // Accounts are bounded by themselves, so theirs is always counted, and for long. For other addresses the
        // same statement runs for the sake of equal time, within the table's bound.
        let (keep_ms, growth) = match attempt.user {
            Some(_) => (policy.run_keep_ms, Growth::Open),
            None => (policy.row_life_ms, self.growth()),
        };
        let decision = attempts::admit_run(tx, &row, &policy.run, attempt.now, keep_ms, growth)?;
        if let Decision::Admitted { count } = decision {
            self.note_row(count);
        }
        Ok(decision)
    }

    fn find_own_lane(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Option<(Lane, RowKey)>, StoreError> {
        let key = &self.shared.key;
        match (attempt.holder, attempt.user) {
            (Holder::Session(session), _) => {
                Ok(Some((Lane::Session(session), key.of_session(RowKind::Device, session))))
            }
            (Holder::Device(device), Some(user)) => {
                let is_known = known_devices::find_last_used(tx, device, user)?
                    .is_some_and(|last_used| attempt.now.since_ms(last_used) < DEVICE_LIFE_MS);
                Ok(is_known.then(|| (Lane::Device(device), key.of_device(RowKind::Device, device))))
            }
            (Holder::Device(_), None) | (Holder::Nobody, _) => Ok(None),
        }
    }

    fn throttle(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
        limiter: Limiter,
        until: Option<Timestamp>,
    ) -> Result<Reservation, StoreError> {
        let key = &self.shared.key;
        // A network that reached its limit may try any number of addresses: they share one report.
        let row = match limiter {
            Limiter::Network => key.of_network(RowKind::Throttled, attempt.network),
            _ => key.of_pair(RowKind::Throttled, attempt.subject, attempt.network),
        };
        Ok(Reservation::Throttled(Throttled {
            retry_after_seconds: retry_after_seconds(attempt.now, until.unwrap_or(attempt.now)),
            limiter,
            report: self.count_repeat(tx, &row, attempt.now)?,
        }))
    }
}
