use doorward_model::time::Timestamp;
use proptest::prelude::*;

use super::Quota;

const START: Timestamp = Timestamp::from_ms(1_800_000_000_000);

#[test]
fn a_burst_passes_then_one_each_interval() {
    let quota = Quota::per_minute(60, 3, 1.0);
    let mut empty_at = None;
    let mut ask = |ms: i64| {
        let (standing, at) = quota.charge(empty_at, START.plus_ms(ms));
        empty_at = Some(at);
        standing
    };
    assert_eq!((ask(0).remaining, ask(0).remaining, ask(0).remaining), (2, 1, 0));
    let refused = ask(0);
    assert!(!refused.is_allowed);
    assert_eq!((refused.retry_after_seconds, refused.full_after_seconds, refused.window_seconds), (1, 3, 3));
    assert!(!ask(999).is_allowed);
    assert!(ask(1000).is_allowed);
    assert!(!ask(1000).is_allowed);
}

/// Proves: A-178
#[test]
fn a_clock_set_back_locks_nobody_out_for_longer_than_two_windows() {
    let quota = Quota::per_minute(60, 3, 1.0);
    let window_ms = 3_000;
    let mut empty_at = None;
    for _ in 0..3 {
        empty_at = Some(quota.charge(empty_at, START).1);
    }
    assert!(!quota.look(empty_at, START).is_allowed);
    for step_ms in [1, 999, 2_999, 3_000, 3_001, 60_000, 3_600_000, 86_400_000] {
        let stepped = START.plus_ms(-step_ms);
        let standing = quota.look(empty_at, stepped);
        assert!(standing.retry_after_seconds <= standing.window_seconds);
        // Looking repairs nothing: whoever only looks must be let in as well.
        assert!(quota.look(empty_at, stepped.plus_ms(2 * window_ms)).is_allowed, "{step_ms}");
    }
    assert!(!quota.look(empty_at, START.plus_ms(-1)).is_allowed, "a small step gives nothing away");
}

proptest! {
    /// In any window of any length, no more pass than the burst and what is earned in it.
    #[test]
    fn never_more_than_burst_plus_rate(
        per_minute in 1u32..2000,
        burst in 1u32..50,
        steps in proptest::collection::vec(0i64..5_000, 1..300),
    ) {
        let quota = Quota::per_minute(per_minute, burst, 1.0);
        let mut empty_at = None;
        let mut now = START;
        let mut passed = Vec::new();
        for step in steps {
            now = now.plus_ms(step);
            let (standing, at) = quota.charge(empty_at, now);
            empty_at = Some(at);
            if standing.is_allowed {
                passed.push(now);
            } else {
                // A refusal is never permanent: what it says about the wait is true.
                let later = now.plus_ms(i64::from(standing.retry_after_seconds) * 1000);
                prop_assert!(quota.look(empty_at, later).is_allowed);
            }
        }
        for (index, from) in passed.iter().enumerate() {
            for (count, until) in passed[index..].iter().enumerate() {
                let earned = until.since_ms(*from) * i64::from(per_minute) / 60_000;
                prop_assert!(i64::try_from(count).unwrap() < i64::from(burst) + earned + 1);
            }
        }
    }
}
