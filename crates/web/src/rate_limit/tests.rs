use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const START: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn address(last: u8) -> Subject {
    Subject::of_address(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))))
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
