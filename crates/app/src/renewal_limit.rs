//! How often one family of refresh tokens may renew: 30 a minute, 60 at once. Asked only after the token's MAC
//! was found right, so strangers cannot make entries.

use doorward_model::id::FamilyId;
use doorward_model::time::Timestamp;

use crate::rate_limit::{Cells, Quota};

/// How many are earned back in a minute.
const PER_MINUTE: u32 = 30;
/// How many may come at once.
const BURST: u32 = 60;

/// The limit of this node.
pub(crate) struct RenewalLimit {
    families: Cells<FamilyId>,
    quota: Quota,
}

impl RenewalLimit {
    /// Nobody has renewed yet.
    pub(crate) fn new() -> Self {
        Self { families: Cells::default(), quota: Quota::per_minute(PER_MINUTE, BURST, 1.0) }
    }

    /// Counts a renewal, or says in how many seconds to try again.
    pub(crate) fn admit(&self, family: FamilyId, now: Timestamp) -> Result<(), u32> {
        let standing = self.families.charge(family, self.quota, now);
        if standing.is_allowed { Ok(()) } else { Err(standing.retry_after_seconds) }
    }

    /// Forgets families that have earned everything back; returns how many remain.
    pub(crate) fn sweep(&self, now: Timestamp) -> usize {
        self.families.sweep(now)
    }
}

#[cfg(test)]
mod tests {
    use doorward_model::time::MINUTE_MS;

    use super::*;

    /// One renewal is earned back in this time.
    const EVERY_MS: i64 = MINUTE_MS / PER_MINUTE as i64;

    /// Proves: S-54, S-152
    #[test]
    fn sixty_at_once_then_thirty_a_minute() {
        let limit = RenewalLimit::new();
        let family = FamilyId::from_uuid([1; 16]);
        let mut now = Timestamp::from_ms(1_000_000);
        for _ in 0..BURST {
            assert_eq!(limit.admit(family, now), Ok(()));
        }
        assert_eq!(limit.admit(family, now), Err(2));
        for _ in 0..30 {
            now = now.plus_ms(EVERY_MS);
            assert_eq!(limit.admit(family, now), Ok(()));
            assert!(limit.admit(family, now).is_err());
        }
        assert_eq!(limit.admit(FamilyId::from_uuid([2; 16]), now), Ok(()));
    }

    /// Proves: A-178
    #[test]
    fn a_clock_that_was_set_back_costs_no_more_than_a_full_burst() {
        let limit = RenewalLimit::new();
        let family = FamilyId::from_uuid([1; 16]);
        let now = Timestamp::from_ms(100 * MINUTE_MS);
        limit.admit(family, now).unwrap();
        let earlier = now.plus_ms(-3 * MINUTE_MS);
        assert_eq!(limit.admit(family, earlier), Err(2));
        assert_eq!(limit.admit(family, earlier.plus_ms(EVERY_MS)), Ok(()));
        assert_eq!(limit.admit(family, earlier.plus_ms(-60 * MINUTE_MS)), Ok(()));
    }

    #[test]
    fn settled_families_are_forgotten() {
        let limit = RenewalLimit::new();
        let now = Timestamp::from_ms(0);
        for number in 0..100 {
            limit.admit(FamilyId::from_uuid([number; 16]), now).unwrap();
        }
        limit.admit(FamilyId::from_uuid([100; 16]), now.plus_ms(MINUTE_MS)).unwrap();
        assert_eq!(limit.sweep(now.plus_ms(MINUTE_MS)), 1);
    }
}
