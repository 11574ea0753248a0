//! Many owners and many thefts, with a fixed seed: the figures of the manual.

use super::world::{Party, World};
use crate::random::{self, Random};
use crate::rotation::{Generation, Rotation};
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// `SplitMix64`: repeatable, and good enough to scatter events.
struct Seeded(std::sync::atomic::AtomicU64);

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
            let mut z = step.wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Seeded {
    fn new(seed: u64) -> Self {
        Self(seed.into())
    }

    fn below(&self, bound: i64) -> i64 {
        i64::from(random::below(self, u32::try_from(bound).unwrap()))
    }

    fn percent(&self, chance: i64) -> bool {
        self.below(100) < chance
    }
}

/// An owner whose network loses 20 % of the requests and 40 % of the answers. The client waits 8 s for an
/// answer and tries again after a while.
struct Owner {
    held: Generation,
    next_at: Timestamp,
}

impl Owner {
    fn renew(&mut self, world: &mut World, random: &Seeded) -> bool {
        let is_request_lost = random.percent(20);
        let answer = if is_request_lost { None } else { Some(world.present(Party::Owner, self.held).token) };
        let wait = match answer {
            Some(None) => return false,
            Some(Some(token)) if !random.percent(40) => {
                self.held = token;
                9 * MINUTE_MS + random.below(MINUTE_MS)
            }
            // Nothing came back: at once, or once the person opens the laptop again.
            _ if random.percent(80) => 8_000 + random.below(60_000),
            _ => random.below(12 * HOUR_MS),
        };
        self.next_at = world.now.plus_ms(wait);
        true
    }
}

/// Proves: S-154, V10.4.5
#[test]
fn of_five_thousand_owners_on_a_bad_network_none_is_signed_out() {
    let random = Seeded::new(1);
    for owner_number in 0..5_000 {
        let mut world = World::new(Rotation::Recover);
        let mut owner = Owner { held: Generation::FIRST, next_at: world.now };
        for renewal in 0..40 {
            // Now and then the clock of the server is set.
            let jump = if random.percent(1) { random.below(HOUR_MS) - HOUR_MS / 2 } else { 0 };
            world.now = owner.next_at.plus_ms(jump);
            assert!(owner.renew(&mut world, &random), "owner {owner_number}, renewal {renewal}: {:?}", world.family);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Strategy {
    /// Renews as a client does, in its own rhythm.
    Polling,
    /// Comes at random times.
    Random,
    /// Waits for hours, then uses what it has in a burst.
    Lurking,
}

impl Strategy {
    fn pause(self, random: &Seeded) -> i64 {
        match self {
            Self::Polling => 10 * MINUTE_MS,
            Self::Random => random.below(2 * HOUR_MS),
            Self::Lurking if random.percent(60) => 11_000 + random.below(20_000),
            Self::Lurking => HOUR_MS + random.below(HOUR_MS * 20),
        }
    }
}

#[derive(Default)]
struct Outcome {
    had_success: bool,
    is_dead: bool,
    holds_something_valid: bool,
}

/// Three days of one stolen family.
fn steal(strategy: Strategy, rotation: Rotation, random: &Seeded) -> Outcome {
    let mut world = World::new(rotation);
    let end = world.now.plus_ms(3 * DAY_MS);
    let mut owner = Owner { held: Generation::FIRST, next_at: world.now };
    let mut loot = Vec::new();
    let mut thief_at = world.now.plus_ms(random.below(6 * HOUR_MS));
    let mut outcome = Outcome::default();
    while owner.next_at.min(thief_at) < end {
        if owner.next_at <= thief_at {
            world.now = owner.next_at;
            if !owner.renew(&mut world, random) {
                break;
            }
            continue;
        }
        world.now = thief_at;
        thief_at = world.now.plus_ms(strategy.pause(random));
        let Some(token) = loot.last().copied() else {
            loot.push(owner.held);
            continue;
        };
        match world.present(Party::Thief, token).token {
            Some(answer) => {
                outcome.had_success = true;
                loot.push(answer);
            }
            None => break,
        }
    }
    outcome.is_dead = world.family.is_revoked;
    outcome.holds_something_valid = loot.iter().any(|token| world.accepts(*token));
    outcome
}

/// Proves: A-93, V10.4.5
#[test]
fn of_six_thousand_thefts_every_one_that_succeeds_is_found() {
    let random = Seeded::new(2);
    for strategy in [Strategy::Polling, Strategy::Random, Strategy::Lurking] {
        let (mut successes, mut deaths) = (0, 0);
        for theft in 0..2_000 {
            let rotation = if theft % 4 == 0 { Rotation::Strict } else { Rotation::Recover };
            let outcome = steal(strategy, rotation, &random);
            successes += u32::from(outcome.had_success);
            deaths += u32::from(outcome.is_dead);
            if outcome.had_success {
                assert!(outcome.is_dead, "{strategy:?} {theft} was not found");
            }
            assert!(!outcome.holds_something_valid, "{strategy:?} {theft} still holds a token");
        }
        // The thieves must have had something to win, or the test shows nothing.
        assert!(successes > 500 && deaths > 1_000, "{strategy:?}: {successes} successes, {deaths} deaths");
    }
}
