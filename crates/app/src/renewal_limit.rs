//! How often one family of refresh tokens may renew: 30 a minute, 60 at once. Asked only after the token's MAC
//! was found right, so strangers cannot make entries.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use doorward_model::id::FamilyId;
use doorward_model::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// One renewal earns back in this time.
const EVERY_MS: i64 = MINUTE_MS / 30;
/// How many may come at once.
const BURST: i64 = 60;
/// More families than this are forgotten when they have earned everything back.
const SWEEP_ABOVE: usize = 10_000;

/// The limit, by the generic cell rate algorithm: one number a family, the time at which it has earned
/// everything back.
#[derive(Default)]
pub(crate) struct RenewalLimit {
    settled_at: Mutex<Families>,
}

#[derive(Default)]
struct Families {
    by_id: HashMap<FamilyId, i64>,
    sweep_above: usize,
}

impl RenewalLimit {
    /// Counts a renewal, or says in how many seconds to try again.
    pub(crate) fn admit(&self, family: FamilyId, now: Timestamp) -> Result<(), u32> {
        let mut families = self.settled_at.lock().unwrap_or_else(PoisonError::into_inner);
        families.sweep(now);
        let settled_at = families.by_id.entry(family).or_insert(now.as_ms());
        // Never further ahead than a full burst. What is, comes from a clock that was set back: a little of it counts as
        // a burst, much of it as nothing.
        if *settled_at - now.as_ms() > 2 * BURST * EVERY_MS {
            *settled_at = now.as_ms();
        }
        *settled_at = (*settled_at).clamp(now.as_ms(), now.as_ms() + BURST * EVERY_MS);
        let next = *settled_at + EVERY_MS;
        let over = next - now.as_ms() - BURST * EVERY_MS;
        if over > 0 {
            let seconds = (over + SECOND_MS - 1) / SECOND_MS;
            return Err(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        *settled_at = next;
        Ok(())
    }
}

impl Families {
    fn sweep(&mut self, now: Timestamp) {
        if self.by_id.len() <= self.sweep_above.max(SWEEP_ABOVE) {
            return;
        }
        self.by_id.retain(|_, settled_at| *settled_at > now.as_ms());
        // Twice what is left, so that the cost of sweeping stays small per renewal.
        self.sweep_above = self.by_id.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S-54, S-152
    #[test]
    fn sixty_at_once_then_thirty_a_minute() {
        let limit = RenewalLimit::default();
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
        let limit = RenewalLimit::default();
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
        let limit = RenewalLimit::default();
        let now = Timestamp::from_ms(0);
        for number in 0..=u32::try_from(SWEEP_ABOVE).unwrap() {
            let mut uuid = [0; 16];
            uuid[..4].copy_from_slice(&number.to_be_bytes());
            limit.admit(FamilyId::from_uuid(uuid), now).unwrap();
        }
        limit.admit(FamilyId::from_uuid([9; 16]), now.plus_ms(MINUTE_MS)).unwrap();
        assert_eq!(limit.settled_at.lock().unwrap().by_id.len(), 1);
    }
}
