//! At most so many in a window that begins with the first one.

use super::{Decision, is_impossible};
use crate::time::Timestamp;

/// At most `limit` in `window_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many are admitted in one window.
    pub limit: i64,
    /// How long a window lasts, from the first one counted in it.
    pub window_ms: i64,
}

/// What a row remembers of the current window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowState {
    /// How many were admitted.
    pub count: i64,
    /// When the window, and with it the row, ends.
    pub ends_at: Timestamp,
}

impl Window {
    /// Counts one, if there is room.
    pub fn admit(&self, state: &mut Option<WindowState>, now: Timestamp) -> Decision {
        match state {
            Some(current) if !self.is_over(*current, now) => {
                if current.count >= self.limit {
                    return Decision::Refused { until: Some(current.ends_at) };
                }
                current.count = current.count.saturating_add(1);
                Decision::Admitted { count: current.count }
            }
            _ => {
                *state = Some(WindowState { count: 1, ends_at: now.plus_ms(self.window_ms) });
                Decision::Admitted { count: 1 }
            }
        }
    }

    /// Takes back one that was counted: it succeeded, or another limiter refused it after all.
    pub fn give_back(state: &mut Option<WindowState>) {
        if let Some(current) = state {
            current.count = current.count.saturating_sub(1).max(0);
        }
    }

    /// Whether a new window may begin.
    pub fn is_over(&self, state: WindowState, now: Timestamp) -> bool {
        state.ends_at <= now || is_impossible(state.ends_at, now, self.window_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SKEW_MS;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Proves: S-61, A-11
        #[test]
        fn no_window_admits_more_than_its_limit(limit in 1i64..20, steps in prop::collection::vec(0i64..40, 1..200)) {
            let rule = Window { limit, window_ms: 100 };
            let (mut state, mut now, mut admitted) = (None, Timestamp::from_ms(1_000), Vec::new());
            for step in steps {
                now = now.plus_ms(step);
                if rule.admit(&mut state, now).is_admitted() {
                    admitted.push((state.unwrap().ends_at, now));
                }
            }
            for (ends_at, _) in &admitted {
                let inside = admitted.iter().filter(|(other, _)| other == ends_at).count();
                prop_assert!(i64::try_from(inside).unwrap() <= limit);
            }
        }

        #[test]
        fn no_refusal_lasts_longer_than_a_window_whatever_the_clock_does(
            window_ms in 1i64..1_000_000, times in prop::collection::vec(any::<i64>(), 1..50)
        ) {
            let rule = Window { limit: 1, window_ms };
            let mut state = None;
            for ms in times {
                let now = Timestamp::from_ms(ms);
                if let Decision::Refused { until } = rule.admit(&mut state, now) {
                    prop_assert!(until.unwrap().since_ms(now) <= window_ms + SKEW_MS);
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_can_be_used_again_and_never_more() {
        let rule = Window { limit: 1, window_ms: 100 };
        let (mut state, now) = (None, Timestamp::from_ms(5));
        assert!(rule.admit(&mut state, now).is_admitted());
        assert!(!rule.admit(&mut state, now).is_admitted());
        Window::give_back(&mut state);
        Window::give_back(&mut state);
        assert!(rule.admit(&mut state, now).is_admitted());
        assert!(!rule.admit(&mut state, now).is_admitted());
    }
}
