//! One event a minute instead of one per refusal, with the number of those it stands for.

use super::is_impossible;
use crate::time::Timestamp;

/// Reports at most once per `window_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collapse {
    /// How long after a report the next ones are only counted.
    pub window_ms: i64,
    /// How long after a report a number not yet reported is kept.
    pub keep_ms: i64,
}

/// What a row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollapseState {
    /// Counted since the last report.
    pub waiting: i64,
    /// Until when they are only counted.
    pub quiet_until: Timestamp,
    /// When the row may be forgotten.
    pub forget_at: Timestamp,
}

impl Collapse {
    /// Counts one. `Some(n)`: report now, for `n` of them (this one, and those counted since the last report).
    pub fn count(&self, state: &mut Option<CollapseState>, now: Timestamp) -> Option<i64> {
        let waiting = match state {
            Some(current) if current.quiet_until > now && !is_impossible(current.quiet_until, now, self.window_ms) => {
                current.waiting = current.waiting.saturating_add(1);
                return None;
            }
            Some(current) => current.waiting,
            None => 0,
        };
        *state = Some(CollapseState {
            waiting: 0,
            quiet_until: now.plus_ms(self.window_ms),
            forget_at: now.plus_ms(self.keep_ms),
        });
        Some(waiting.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY_MS, MINUTE_MS};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_a_minute_has_one_report(steps in prop::collection::vec(0i64..30_000, 1..300)) {
            let rule = Collapse { window_ms: MINUTE_MS, keep_ms: DAY_MS };
            let (mut state, mut now, mut reported, mut last) = (None, Timestamp::from_ms(0), 0, None::<Timestamp>);
            let all = i64::try_from(steps.len()).unwrap();
            for step in steps {
                now = now.plus_ms(step);
                if let Some(count) = rule.count(&mut state, now) {
                    prop_assert!(last.is_none_or(|last| now.since_ms(last) >= MINUTE_MS));
                    reported += count;
                    last = Some(now);
                }
            }
            prop_assert_eq!(reported + state.unwrap().waiting, all);
        }
    }
}
