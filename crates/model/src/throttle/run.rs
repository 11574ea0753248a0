//! The hard bound: so many consecutive failures of strangers, then the password is off for unknown devices
//! (NIST SP 800-63B-4 section 3.2.2).

use super::Decision;
use crate::time::Timestamp;

/// At most `limit` failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How many failures in a row are evaluated.
    pub limit: i64,
}

/// What a row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunState {
    /// Failures since the owner last showed up.
    pub failures: i64,
    /// When the bound was first seen to be reached, which is when the owner is told.
    pub switched_off_at: Option<Timestamp>,
    /// When the row may be forgotten.
    pub forget_at: Timestamp,
}

impl Run {
    /// Counts one attempt, if the bound leaves room. No clock opens it again before `forget_at`; only the owner
    /// does, which deletes the row.
    ///
    /// `keep_ms` is how long this attempt keeps the row: long for an account, a day for an address that has none.
    pub fn admit(&self, state: &mut Option<RunState>, now: Timestamp, keep_ms: i64) -> Decision {
        let forget_at = now.plus_ms(keep_ms);
        match state {
            Some(current) if current.forget_at > now => {
                if current.failures >= self.limit {
                    return Decision::Refused { until: None };
                }
                current.failures = current.failures.saturating_add(1);
                current.forget_at = forget_at;
                Decision::Admitted { count: current.failures }
            }
            _ => {
                *state = Some(RunState { failures: 1, switched_off_at: None, forget_at });
                Decision::Admitted { count: 1 }
            }
        }
    }

    /// Marks the bound as reached. True exactly once per run: then the owner is told.
    pub fn mark_switched_off(&self, state: &mut Option<RunState>, now: Timestamp) -> bool {
        match state {
            Some(current) if current.failures >= self.limit && current.switched_off_at.is_none() => {
                current.switched_off_at = Some(now);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_MS;
    use proptest::prelude::*;

    proptest! {
        /// Proves: A-12, S-59
        #[test]
        fn no_run_evaluates_more_than_the_bound(steps in prop::collection::vec(0i64..DAY_MS - 1, 1..500)) {
            let rule = Run { limit: 100 };
            let (mut state, mut now, mut admitted, mut told) = (None, Timestamp::from_ms(0), 0, 0);
            for step in steps {
                now = now.plus_ms(step);
                admitted += i64::from(rule.admit(&mut state, now, 365 * DAY_MS).is_admitted());
                told += i64::from(rule.mark_switched_off(&mut state, now));
            }
            prop_assert!(admitted <= 100);
            prop_assert_eq!(told, i64::from(admitted == 100));
        }

        #[test]
        fn a_clock_that_steps_back_does_not_open_it(back in 0i64..i64::MAX) {
            let rule = Run { limit: 1 };
            let (mut state, now) = (None, Timestamp::from_ms(0));
            rule.admit(&mut state, now, DAY_MS);
            prop_assert!(!rule.admit(&mut state, now.plus_ms(-back), DAY_MS).is_admitted());
        }
    }
}
