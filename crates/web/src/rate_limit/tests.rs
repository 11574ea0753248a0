use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::gcra::Quota;
use super::*;

const START: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn address(last: u8) -> Subject {
    Subject::of_address(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))))
}

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

/// Proves: A-18, V15.3.4
#[test]
fn an_ipv6_network_is_one_source() {
    let of = |text: &str| Subject::of_address(Some(text.parse().unwrap()));
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    let mapped = IpAddr::V6(Ipv6Addr::from_bits(0x0000_ffff_c000_0201));
    assert_eq!(Subject::of_address(Some(mapped)), of("192.0.2.1"));
}

/// Proves: S-55, V2.4.1, S-208, S-218
#[test]
fn anonymous_callers_have_less_than_signed_in_ones() {
    let limits = RateLimits::new(1.0);
    for class in [RateClass::Read, RateClass::Write] {
        let anonymous = limits.quota(Meter::Requests(class), address(1));
        let signed_in = limits.quota(Meter::Requests(class), Subject::Session([1; 16]));
        let sustained = |quota: Quota| {
            (0..600)
                .fold((None, 0), |(at, passed), second| {
                    let at = (0..20).fold((at, passed), |(at, passed), _| {
                        let (standing, at) = quota.charge(at, START.plus_ms(second * 1000));
                        (Some(at), passed + u32::from(standing.is_allowed))
                    });
                    (at.0, at.1)
                })
                .1
        };
        assert!(sustained(anonymous) < sustained(signed_in), "{class:?}");
    }
}

#[test]
fn subjects_and_classes_do_not_share_counters() {
    let limits = RateLimits::new(1.0);
    while limits.charge(RateClass::Credential, address(1), START).standing.is_allowed {}
    assert!(limits.charge(RateClass::Credential, address(2), START).standing.is_allowed);
    assert!(limits.charge(RateClass::Read, address(1), START).standing.is_allowed);
}

#[test]
fn the_scale_multiplies_every_limit() {
    let passed = |scale: f64| {
        let limits = RateLimits::new(scale);
        (0..2000).filter(|_| limits.charge(RateClass::Credential, address(1), START).standing.is_allowed).count()
    };
    assert_eq!((passed(1.0), passed(10.0), passed(0.5)), (60, 600, 30));
}

#[test]
fn looking_counts_nothing() {
    let limits = RateLimits::new(1.0);
    limits.charge_refused(Refused::Invalid, address(1), START);
    let first = limits.look_at_refused(Refused::Invalid, address(1), START).standing;
    assert_eq!(limits.look_at_refused(Refused::Invalid, address(1), START).standing, first);
    assert_eq!(first.remaining, 59);
}

#[test]
fn full_counters_are_forgotten_by_a_sweep() {
    let limits = RateLimits::new(1.0);
    for last in 0..100 {
        limits.charge(RateClass::Read, address(last), START);
    }
    assert_eq!(limits.sweep(START), 100);
    assert_eq!(limits.sweep(START.plus_ms(60_000)), 0);
}

#[test]
fn memory_is_bounded_whoever_comes() {
    let limits = RateLimits::new(1.0);
    for network in 0..400_000 {
        limits.charge(RateClass::Read, Subject::V6Network(network), START);
    }
    let kept = limits.sweep(START);
    assert!(kept <= 64 * 4096, "{kept}");
    assert!(kept > 64 * 4000, "{kept}");
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
