//! The algebra of the sign-in throttle and of the mail budgets: state and event in, state and decision out.
//!
//! Four small rules, each about one row:
//!
//! | Rule | Counts | Used for |
//! |---|---|---|
//! | [`Window`] | at most so many in a window | network, account, known devices of a network, mail per network |
//! | [`BackOff`] | some free, then exponentially slower | (account, network), known device |
//! | [`Run`] | consecutive failures up to a hard bound | the password's switch for unknown devices |
//! | [`Collapse`] | repeats within a minute | one event instead of hundreds |
//!
//! and [`MailBudget`] for the mails one address receives. The store's statements say the same in SQL, because
//! there a decision must be one conditional write; a test compares the two on random sequences. All numbers
//! are in [`ThrottlePolicy`].
//!
//! **Clocks.** Nodes may disagree by a few seconds, and a clock may step back. A deadline that lies further
//! ahead than the rule itself could have set it (plus [`SKEW_MS`]) was set by a clock that was wrong, and does
//! not block anybody.

mod back_off;
mod collapse;
mod mail;
mod policy;
mod run;
mod subject;
mod window;

pub use back_off::{BackOff, BackOffState};
pub use collapse::{Collapse, CollapseState};
pub use mail::{MailBudget, MailShare, MailState};
pub use policy::{InvalidPolicy, ThrottlePolicy};
pub use run::{Run, RunState};
pub use subject::{RowKey, RowKind, Subject, SubjectKey};
pub use window::{Window, WindowState};

use crate::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// How far the clocks of two nodes may differ without a deadline looking impossible.
pub const SKEW_MS: i64 = MINUTE_MS;

/// What one limiter says to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The attempt may go on; it is counted already, as number `count`.
    Admitted {
        /// How many are counted now, this one included.
        count: i64,
    },
    /// The attempt may not go on, and is not counted.
    Refused {
        /// When trying again may work; none when waiting alone does not help.
        until: Option<Timestamp>,
    },
}

impl Decision {
    /// Whether the attempt may go on.
    pub const fn is_admitted(self) -> bool {
        matches!(self, Self::Admitted { .. })
    }
}

/// Whole seconds from `now` until `until`, rounded up, at least 1: the value of `Retry-After`.
pub fn retry_after_seconds(now: Timestamp, until: Timestamp) -> u32 {
    let seconds = until.since_ms(now).max(0).saturating_add(SECOND_MS - 1) / SECOND_MS;
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

/// Whether `deadline` lies further ahead of `now` than a rule that looks `reach_ms` ahead could have put it.
const fn is_impossible(deadline: Timestamp, now: Timestamp, reach_ms: i64) -> bool {
    deadline.as_ms() > now.plus_ms(reach_ms).plus_ms(SKEW_MS).as_ms()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_rounds_up_and_is_never_zero() {
        let now = Timestamp::from_ms(10_000);
        assert_eq!(retry_after_seconds(now, now), 1);
        assert_eq!(retry_after_seconds(now, now.plus_ms(-5_000)), 1);
        assert_eq!(retry_after_seconds(now, now.plus_ms(1_001)), 2);
        assert_eq!(retry_after_seconds(Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX)), u32::MAX);
    }
}
