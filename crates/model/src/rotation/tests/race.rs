//! Requests that read the row at the same time: only the conditional write decides.

use proptest::prelude::*;

use super::world::OVERLAP_MS;
use crate::rotation::{Decision, Family, Generation, Rotation, Step};
use crate::time::Timestamp;

#[derive(Clone, Debug)]
enum Request {
    Arrived,
    Read(Decision),
    Answered(Option<Generation>),
}

/// The row, changed only where the step's condition holds.
fn update(family: &mut Family, step: Step, now: Timestamp) -> bool {
    let matches = family.counters == step.from && !family.is_revoked;
    if matches {
        family.counters = step.to;
        family.issued_at = now;
    }
    matches
}

fn advance(request: Request, family: &mut Family, now: Timestamp, presented: Generation) -> Request {
    match request {
        Request::Arrived => Request::Read(family.decide(presented, now, OVERLAP_MS)),
        Request::Read(Decision::Rotate(step) | Decision::Recover(step)) => {
            // Zero rows: another request was faster, so this one reads again.
            if update(family, step, now) { Request::Answered(Some(step.to.issued)) } else { Request::Arrived }
        }
        Request::Read(Decision::Repeat(newest)) => Request::Answered(Some(newest)),
        Request::Read(Decision::Reused(_) | Decision::AheadOfDatabase) => {
            family.is_revoked = true;
            Request::Answered(None)
        }
        Request::Read(Decision::Refused) => Request::Answered(None),
        Request::Answered(_) => request,
    }
}

proptest! {
    /// Proves: A-94, S-153
    #[test]
    fn fifty_concurrent_renewals_with_one_token_get_one_successor(
        is_strict: bool,
        is_predecessor: bool,
        order in prop::collection::vec(0..50usize, 100..600),
    ) {
        let rotation = if is_strict { Rotation::Strict } else { Rotation::Recover };
        let start = Timestamp::from_ms(1_000_000);
        let mut family = Family::new(start, rotation, Timestamp::from_ms(i64::MAX));
        // A predecessor after its overlap races to be recovered; the newest token races to be rotated.
        let is_late = is_predecessor && !is_strict;
        if is_late {
            let Decision::Rotate(step) = family.decide(Generation::FIRST, start, OVERLAP_MS) else { unreachable!() };
            prop_assert!(update(&mut family, step, start));
        }
        let issued_before = family.counters.issued;
        let now = start.plus_ms(OVERLAP_MS * 2);
        let mut requests = vec![Request::Arrived; 50];
        // The random order first, then each to its end.
        for index in order.into_iter().chain((0..50).cycle().take(200)) {
            requests[index] = advance(requests[index].clone(), &mut family, now, Generation::FIRST);
        }
        let successor = Generation::from_number(issued_before.number() + 1);
        for request in &requests {
            prop_assert!(matches!(request, Request::Answered(answer) if *answer == successor), "{request:?}");
        }
        prop_assert_eq!(Some(family.counters.issued), successor);
        prop_assert!(!family.is_revoked);
    }
}
