//! A family on a server, with a clock, and what its holders get from it.

use crate::rotation::{Decision, Family, Generation, Rotation};
use crate::time::{DAY_MS, Timestamp};

pub(super) const OVERLAP_MS: i64 = 10_000;

/// Who presents a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Party {
    Owner,
    Thief,
}

/// What a request did on the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reply {
    /// The token in the answer; none when the family is over.
    pub(super) token: Option<Generation>,
    /// Whether owner and thief have presented one and the same predecessor inside one overlap, so that both were
    /// answered the same newest token. Said without asking the decision, which is on trial.
    pub(super) is_shared: bool,
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) family: Family,
    /// Who presented what since the last issue.
    presented: Vec<(Party, Generation)>,
}

impl World {
    pub(super) fn new(rotation: Rotation) -> Self {
        let now = Timestamp::from_ms(1_000 * DAY_MS);
        Self { now, family: Family::new(now, rotation, Timestamp::from_ms(i64::MAX)), presented: Vec::new() }
    }

    /// Moves the clock, backwards when negative.
    pub(super) fn wait(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    pub(super) fn decide(&self, generation: Generation) -> Decision {
        self.family.decide(generation, self.now, OVERLAP_MS)
    }

    /// Whether the token would get an answer now.
    pub(super) fn accepts(&self, generation: Generation) -> bool {
        matches!(self.decide(generation), Decision::Rotate(_) | Decision::Repeat(_) | Decision::Recover(_))
    }

    /// One request, carried out as the decision says.
    pub(super) fn present(&mut self, party: Party, generation: Generation) -> Reply {
        let token = match self.decide(generation) {
            Decision::Rotate(step) | Decision::Recover(step) => {
                self.family.counters = step.to;
                self.family.issued_at = self.now;
                self.presented = vec![(party, generation)];
                Some(step.to.issued)
            }
            Decision::Repeat(newest) => {
                self.presented.push((party, generation));
                Some(newest)
            }
            Decision::Reused(_) | Decision::AheadOfDatabase => {
                self.family.is_revoked = true;
                None
            }
            Decision::Refused => None,
        };
        let is_inside = self.now.since_ms(self.family.issued_at).abs() < OVERLAP_MS;
        let by_both = [Party::Owner, Party::Thief].map(|party| self.presented.contains(&(party, generation)));
        Reply { token, is_shared: token.is_some() && is_inside && by_both == [true, true] }
    }
}
