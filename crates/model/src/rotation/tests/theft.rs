//! What a thief can and cannot do: within two attempts by the owner after the thief's first success, the family
//! is dead or the thief holds nothing valid. The one exception is shadowing: both presenting one predecessor
//! inside one overlap, after which they hold the same token and the count begins again.

use proptest::prelude::*;

use super::world::{Party, World};
use crate::rotation::{Generation, Rotation};
use crate::time::DAY_MS;

#[derive(Clone, Copy, Debug)]
enum Move {
    /// A thief copies what the owner holds now.
    Steal,
    /// The owner renews; the request or the answer may be lost, or the answer may reach the thief instead.
    OwnerRenews(Fate),
    /// A thief presents one of the tokens they hold, counted back from the newest, and gets the answer or not.
    ThiefRenews {
        back: usize,
        is_answer_lost: bool,
    },
    Wait(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    RequestLost,
    AnswerLost,
    AnswerStolen,
    Delivered,
}

fn moves() -> impl Strategy<Value = Move> {
    let fate = prop_oneof![
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::AnswerStolen),
        5 => Just(Fate::Delivered)
    ];
    let wait = prop_oneof![
        2 => 0..10_000i64,
        1 => 9_990..10_010i64,
        4 => 10_000..700_000i64,
        1 => 0..5 * DAY_MS,
        1 => -3_600_000..0i64,
    ];
    prop_oneof![
        1 => Just(Move::Steal),
        5 => fate.prop_map(Move::OwnerRenews),
        4 => (0..3usize, prop::bool::weighted(0.2))
            .prop_map(|(back, is_answer_lost)| Move::ThiefRenews { back, is_answer_lost }),
        6 => wait.prop_map(Move::Wait),
    ]
}

struct Theft {
    world: World,
    held: Generation,
    /// Every token any thief has; several thieves are one thief with all their loot.
    loot: Vec<Generation>,
    /// The owner's attempts since the thief's first success; none while the thief had no success. The first
    /// counts when it is answered, the second when it reaches the server.
    attempts: Option<u8>,
}

impl Theft {
    fn play(&mut self, action: Move) -> Result<(), TestCaseError> {
        match action {
            Move::Wait(ms) => self.world.wait(ms),
            Move::Steal => self.steal(self.held),
            Move::OwnerRenews(fate) => return self.owner_renews(fate),
            Move::ThiefRenews { back, is_answer_lost } => self.thief_renews(back, is_answer_lost),
        }
        Ok(())
    }

    /// A new theft is a new game: it begins with the thief's next success.
    fn steal(&mut self, token: Generation) {
        self.loot.push(token);
        self.attempts = None;
    }

    fn thief_renews(&mut self, back: usize, is_answer_lost: bool) {
        let mut loot = self.loot.clone();
        loot.sort_unstable();
        let Some(token) = loot.iter().rev().nth(back).copied() else { return };
        let reply = self.world.present(Party::Thief, token);
        let Some(answer) = reply.token else { return };
        if !is_answer_lost {
            self.loot.push(answer);
        }
        self.attempts = if reply.is_shared { Some(0) } else { self.attempts.or(Some(0)) };
    }

    fn owner_renews(&mut self, fate: Fate) -> Result<(), TestCaseError> {
        if fate == Fate::RequestLost {
            return Ok(());
        }
        let reply = self.world.present(Party::Owner, self.held);
        self.attempts = match self.attempts {
            Some(_) if reply.is_shared => Some(0),
            Some(0) if fate != Fate::Delivered => Some(0),
            Some(attempts) => Some(attempts + 1),
            None => None,
        };
        if self.attempts >= Some(2) {
            let held = self.loot.iter().find(|token| self.world.accepts(**token));
            prop_assert!(held.is_none(), "the thief still holds {held:?}: {:?}", self.world.family);
        }
        match (fate, reply.token) {
            (Fate::Delivered, Some(token)) => self.held = token,
            (Fate::AnswerStolen, Some(token)) => self.steal(token),
            _ => {}
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Proves: A-93, V10.4.5
    #[test]
    fn a_thief_is_found_or_empty_handed_within_two_attempts_of_the_owner(
        is_strict: bool,
        moves in prop::collection::vec(moves(), 1..100),
    ) {
        let rotation = if is_strict { Rotation::Strict } else { Rotation::Recover };
        let mut theft = Theft {
            world: World::new(rotation),
            held: Generation::FIRST,
            loot: Vec::new(),
            attempts: None,
        };
        for action in moves {
            theft.play(action)?;
        }
    }
}

/// The limit that the module head states: it is not a defect of the test when it passes, it is what rotation
/// cannot see.
#[test]
fn a_thief_who_shadows_inside_the_overlap_is_not_found_by_rotation() {
    let mut world = World::new(Rotation::Recover);
    let mut held = Generation::FIRST;
    for _ in 0..100 {
        world.wait(600_000);
        let owner = world.present(Party::Owner, held);
        world.wait(3_000);
        let thief = world.present(Party::Thief, held);
        assert_eq!((owner.token, thief.is_shared), (thief.token, true));
        held = owner.token.unwrap();
    }
}
