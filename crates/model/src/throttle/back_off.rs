//! Some attempts free, then each one waits twice as long as the one before.

use super::{Decision, is_impossible};
use crate::time::Timestamp;

/// `free` attempts at once, then a pause of `base_ms` that doubles with each further attempt up to `max_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// How many attempts need no pause between them.
    pub free: i64,
    /// The pause after the last free attempt.
    pub base_ms: i64,
    /// The longest pause.
    pub max_ms: i64,
    /// After so long without an attempt everything is forgotten.
    pub forget_ms: i64,
}

/// What a row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOffState {
    /// Attempts since the last success.
    pub failures: i64,
    /// No attempt is admitted before this time.
    pub blocked_until: Timestamp,
    /// When the row may be forgotten.
    pub forget_at: Timestamp,
}

impl BackOff {
    /// From this many doublings on the pause is `max_ms` in any case (2^20 s are 12 days; a policy's
    /// longest pause is a day).
    pub const MAX_DOUBLINGS: i64 = 20;

    /// Counts one attempt, if the pause is over. Refused attempts neither count nor lengthen the pause:
    /// hammering harms nobody behind the same address.
    pub fn admit(&self, state: &mut Option<BackOffState>, now: Timestamp) -> Decision {
        let failures = match *state {
            Some(current) if self.is_blocked(current, now) => {
                return Decision::Refused { until: Some(current.blocked_until) };
            }
            Some(current) if current.forget_at > now => current.failures.saturating_add(1),
            _ => 1,
        };
        *state = Some(BackOffState {
            failures,
            blocked_until: now.plus_ms(self.pause_ms(failures)),
            forget_at: now.plus_ms(self.forget_ms),
        });
        Decision::Admitted { count: failures }
    }

    /// Takes back an attempt that another limiter refused in the same breath. It was not blocked before, so it
    /// is not blocked after.
    pub fn give_back(state: &mut Option<BackOffState>) {
        if let Some(current) = state {
            current.failures = current.failures.saturating_sub(1).max(0);
            current.blocked_until = Timestamp::from_ms(0);
        }
    }

    /// The pause after attempt number `failures`.
    pub fn pause_ms(&self, failures: i64) -> i64 {
        let doublings = failures.saturating_sub(self.free);
        if doublings < 0 {
            0
        } else if doublings >= Self::MAX_DOUBLINGS {
            self.max_ms
        } else {
            self.base_ms.saturating_mul(1 << doublings).min(self.max_ms)
        }
    }

    fn is_blocked(&self, state: BackOffState, now: Timestamp) -> bool {
        state.blocked_until > now && !is_impossible(state.blocked_until, now, self.max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SKEW_MS;
    use super::*;
    use crate::time::{DAY_MS, HOUR_MS, SECOND_MS};
    use proptest::prelude::*;

    const RULE: BackOff = BackOff { free: 5, base_ms: SECOND_MS, max_ms: HOUR_MS, forget_ms: DAY_MS };

    proptest! {
        #[test]
        fn the_pause_never_shrinks_overflows_or_exceeds_the_maximum(
            free in 1i64..50, base_ms in 1i64..DAY_MS, more in 0i64..DAY_MS, failures: i64
        ) {
            let rule = BackOff { free, base_ms, max_ms: base_ms + more, forget_ms: DAY_MS };
            let pause = rule.pause_ms(failures);
            prop_assert!((0..=rule.max_ms).contains(&pause));
            prop_assert!(rule.pause_ms(failures.saturating_add(1)) >= pause);
        }

        #[test]
        fn no_block_lasts_longer_than_the_maximum_whatever_the_clock_does(times in prop::collection::vec(any::<i64>(), 1..60)) {
            let mut state = None;
            for ms in times {
                let now = Timestamp::from_ms(ms);
                if let Decision::Refused { until } = RULE.admit(&mut state, now) {
                    prop_assert!(until.unwrap().since_ms(now) <= RULE.max_ms + SKEW_MS);
                }
            }
        }

        #[test]
        fn a_day_admits_only_a_few_dozen_however_often_one_tries(steps in prop::collection::vec(1i64..120_000, 1..3_000)) {
            let (mut state, mut now, mut admitted) = (None, Timestamp::from_ms(0), 0);
            for step in steps {
                now = now.plus_ms(step);
                if now.as_ms() > DAY_MS {
                    break;
                }
                admitted += i64::from(RULE.admit(&mut state, now).is_admitted());
            }
            // 5 free, 12 while the pause doubles to an hour, then one an hour.
            prop_assert!(admitted <= 5 + 12 + 24);
        }
    }

    /// Proves: A-10, S-59
    #[test]
    fn the_sixth_guess_waits_and_so_does_the_right_password_after_it() {
        let (mut state, now) = (None, Timestamp::from_ms(0));
        for count in 1..=5 {
            assert_eq!(RULE.admit(&mut state, now), Decision::Admitted { count });
        }
        let refused = Decision::Refused { until: Some(now.plus_ms(SECOND_MS)) };
        assert_eq!(RULE.admit(&mut state, now), refused);
        assert_eq!(RULE.admit(&mut state, now.plus_ms(SECOND_MS - 1)), refused);
        assert_eq!(RULE.admit(&mut state, now.plus_ms(SECOND_MS)), Decision::Admitted { count: 6 });
    }

    #[test]
    fn an_attempt_given_back_leaves_the_lane_open() {
        let (mut state, now) = (None, Timestamp::from_ms(50));
        for _ in 1..=5 {
            RULE.admit(&mut state, now);
        }
        BackOff::give_back(&mut state);
        assert_eq!(RULE.admit(&mut state, now), Decision::Admitted { count: 5 });
    }

    #[test]
    fn a_quiet_day_forgets() {
        let (mut state, now) = (None, Timestamp::from_ms(0));
        for _ in 1..=5 {
            RULE.admit(&mut state, now);
        }
        assert_eq!(RULE.admit(&mut state, now.plus_ms(DAY_MS)), Decision::Admitted { count: 1 });
    }
}
