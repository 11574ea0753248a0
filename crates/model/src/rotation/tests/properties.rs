//! What an owner alone may rely on.

use proptest::prelude::*;

use super::world::{Party, World};
use crate::rotation::{Generation, Rotation};
use crate::time::DAY_MS;

/// What becomes of one renewal.
#[derive(Clone, Copy, Debug)]
enum Fate {
    RequestLost,
    AnswerLost,
    /// The answer comes after the client gave up, so it counts as lost; meanwhile the clock went on.
    AnswerLate,
    Delivered,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::RequestLost),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::AnswerLate),
        2 => Just(Fate::Delivered),
    ]
}

/// Waits of a retry, of the edge of the overlap, of a working day and of a closed laptop; and steps of the
/// clock, also backwards.
fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0..8_000i64,
        2 => 9_990..10_010i64,
        3 => 10_000..700_000i64,
        1 => 0..20 * DAY_MS,
        1 => -3_600_000..0i64,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Proves: S-154, V10.4.5
    #[test]
    fn an_owner_alone_is_never_signed_out(renewals in prop::collection::vec((wait(), fate()), 1..80)) {
        let mut world = World::new(Rotation::Recover);
        let mut held = Generation::FIRST;
        for (wait, fate) in renewals {
            world.wait(wait);
            if matches!(fate, Fate::RequestLost) {
                continue;
            }
            let reply = world.present(Party::Owner, held);
            prop_assert!(reply.token.is_some(), "signed out while presenting {held:?}: {:?}", world.family);
            match (fate, reply.token) {
                (Fate::Delivered, Some(token)) => held = token,
                (Fate::AnswerLate, _) => world.wait(8_000),
                _ => {}
            }
        }
    }

    /// Proves: A-94
    #[test]
    fn at_most_the_newest_token_and_the_last_one_shown_are_alive(
        is_strict: bool,
        presentations in prop::collection::vec((wait(), 0..4i64), 1..60),
    ) {
        let mut world = World::new(if is_strict { Rotation::Strict } else { Rotation::Recover });
        for (wait, back) in presentations {
            world.wait(wait);
            let counters = world.family.counters;
            let issued = counters.issued.number();
            for number in 1..=issued + 1 {
                let generation = Generation::from_number(number).unwrap();
                if world.accepts(generation) {
                    prop_assert!(generation == counters.issued || generation == counters.presented);
                }
            }
            let presented = Generation::from_number((issued - back).max(1)).unwrap();
            if let Some(answer) = world.present(Party::Owner, presented).token {
                // Whoever is answered gets the newest token: two answers never lead to two chains.
                prop_assert_eq!(answer, world.family.counters.issued);
                prop_assert!(world.family.counters.presented < world.family.counters.issued);
            }
        }
    }
}
