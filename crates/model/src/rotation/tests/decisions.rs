//! Each line of the table, by example.

use crate::rotation::{Counters, Decision, Family, Generation, Reuse, Rotation, Step};
use crate::time::Timestamp;

const OVERLAP_MS: i64 = 10_000;

fn generation(number: i64) -> Generation {
    Generation::from_number(number).unwrap()
}

fn counters(presented: i64, issued: i64) -> Counters {
    Counters { presented: generation(presented), issued: generation(issued) }
}

/// Presented 3, issued 6: generations 4 and 5 were skipped. The last issue was at 100 s.
fn family(rotation: Rotation) -> Family {
    Family {
        counters: counters(3, 6),
        issued_at: Timestamp::from_ms(100_000),
        rotation,
        expires_at: Timestamp::from_ms(1_000_000),
        is_revoked: false,
    }
}

fn decide(family: &Family, number: i64, now_ms: i64) -> Decision {
    family.decide(generation(number), Timestamp::from_ms(now_ms), OVERLAP_MS)
}

#[test]
fn the_newest_token_rotates() {
    let step = Step { from: counters(3, 6), to: counters(6, 7) };
    assert_eq!(decide(&family(Rotation::Recover), 6, 500_000), Decision::Rotate(step));
    assert_eq!(decide(&family(Rotation::Strict), 6, 500_000), Decision::Rotate(step));
}

#[test]
fn the_first_token_of_a_family_rotates() {
    let family = Family::new(Timestamp::from_ms(0), Rotation::Recover, Timestamp::from_ms(1_000_000));
    assert_eq!(decide(&family, 1, 0), Decision::Rotate(Step { from: counters(0, 1), to: counters(1, 2) }));
}

/// Proves: A-94, S-153
#[test]
fn the_predecessor_within_the_overlap_gets_the_same_successor_again() {
    for rotation in [Rotation::Recover, Rotation::Strict] {
        for now_ms in [100_000, 109_999, 90_001] {
            assert_eq!(decide(&family(rotation), 3, now_ms), Decision::Repeat(generation(6)), "{now_ms}");
        }
    }
}

#[test]
fn a_late_predecessor_recovers_what_was_lost() {
    for now_ms in [110_000, 999_999, 90_000] {
        let step = Step { from: counters(3, 6), to: counters(3, 7) };
        assert_eq!(decide(&family(Rotation::Recover), 3, now_ms), Decision::Recover(step), "{now_ms}");
    }
}

/// Proves: A-93, V10.4.5
#[test]
fn a_late_predecessor_of_a_strict_family_is_reuse() {
    assert_eq!(decide(&family(Rotation::Strict), 3, 110_000), Decision::Reused(Reuse::Late));
}

#[test]
fn an_overlap_of_zero_makes_every_second_presentation_late() {
    let family = family(Rotation::Strict);
    assert_eq!(family.decide(generation(3), family.issued_at, 0), Decision::Reused(Reuse::Late));
}

/// Proves: A-93, V10.4.5
#[test]
fn a_skipped_generation_is_a_tripwire_even_within_the_overlap() {
    for number in [4, 5] {
        assert_eq!(decide(&family(Rotation::Recover), number, 100_000), Decision::Reused(Reuse::Tripwire));
    }
}

/// Proves: A-93, V10.4.5
#[test]
fn anything_older_is_reuse_even_within_the_overlap() {
    for number in [1, 2] {
        assert_eq!(decide(&family(Rotation::Recover), number, 100_000), Decision::Reused(Reuse::Older));
    }
}

/// Proves: S-266
#[test]
fn a_token_newer_than_the_database_is_a_restore_seen() {
    assert_eq!(decide(&family(Rotation::Recover), 7, 100_000), Decision::AheadOfDatabase);
}

#[test]
fn nothing_is_accepted_from_an_expired_or_ended_family() {
    let revoked = Family { is_revoked: true, ..family(Rotation::Recover) };
    for number in 1..=8 {
        assert_eq!(decide(&revoked, number, 100_000), Decision::Refused);
        assert_eq!(decide(&family(Rotation::Recover), number, 1_000_000), Decision::Refused);
    }
}

#[test]
fn the_last_number_ends_the_chain_without_overflow() {
    let family = Family { counters: counters(i64::MAX - 1, i64::MAX), ..family(Rotation::Recover) };
    assert_eq!(decide(&family, i64::MAX, 100_000), Decision::Refused);
    assert_eq!(decide(&family, i64::MAX - 1, 500_000), Decision::Refused);
}

#[test]
fn the_policy_reads_back_from_its_word() {
    for rotation in [Rotation::Recover, Rotation::Strict] {
        assert_eq!(Rotation::parse(rotation.as_str()), Some(rotation));
    }
    assert_eq!(Rotation::parse("Strict"), None);
}

#[test]
fn a_token_that_is_kept_stays_the_same_until_its_family_ends() {
    let begun = Family::new(Timestamp::from_ms(0), Rotation::Keep, Timestamp::from_ms(1_000_000));
    for now_ms in [0, OVERLAP_MS, 999_999] {
        assert_eq!(decide(&begun, 1, now_ms), Decision::Repeat(generation(1)), "{now_ms}");
    }
    assert_eq!(decide(&begun, 1, 1_000_000), Decision::Refused);
    assert_eq!(decide(&begun, 2, 0), Decision::AheadOfDatabase);
    assert_eq!(decide(&Family { is_revoked: true, ..begun }, 1, 0), Decision::Refused);
}
