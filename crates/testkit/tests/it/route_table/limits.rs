//! No route without a limit.

use doorward_testkit::{Setup, both_with};
use doorward_web::route::{Access, RateClass};
use http::Method;

use super::{ask, routes};
use crate::credentials::{EMAIL, bare, browser, register, with_cookie};

/// A tenth of the limits as shipped, so that reaching them takes a tenth of the requests.
fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 0.1;
    setup
}

/// Proves: A-155, S-52, S-53, S-56, S-89, S-99, S-111, S-128, S-151, V2.4.1
#[test]
fn every_route_says_too_many_to_a_stranger_and_tells_when_to_come_back() {
    both_with(&setup(), async |world| {
        for (number, route) in routes().into_iter().enumerate() {
            let address = format!("203.0.113.{number}");
            let mut refused = None;
            for _ in 0..200 {
                let answer = world.send(ask(&route, &address, "")).await;
                if answer.status == 429 {
                    refused = Some(answer);
                    break;
                }
            }
            let what = format!("{} {}", route.method, route.path);
            let answer = refused.unwrap_or_else(|| panic!("{what} has no limit"));
            let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=600).contains(&seconds), "{what}: {seconds}");
            assert!(answer.header("ratelimit").is_some_and(|line| line.contains(";r=0;")), "{what}: {answer:?}");
            assert!(answer.header("ratelimit-policy").is_some_and(|line| line.contains(";q=")), "{what}: {answer:?}");
            // Somebody else is not held up.
            let answer = world.send(ask(&route, "192.0.2.200", "")).await;
            assert!(answer.status != 429 || route.rate == RateClass::Credential, "{what}: {answer:?}");
            world.advance(600_000);
            let answer = world.send(ask(&route, &address, "")).await;
            assert_ne!(answer.status, 429, "{what} after ten minutes");
        }
    });
}

/// Proves: S-55
#[test]
fn a_session_has_limits_of_its_own() {
    both_with(&setup(), async |world| {
        register(world, EMAIL).await;
        let (mine, other) = (browser(world, EMAIL).await, browser(world, EMAIL).await);
        for route in routes() {
            let is_own = matches!(route.access, Access::Session) && route.method == Method::GET;
            if !is_own {
                continue;
            }
            let mut last = 0;
            for _ in 0..60 {
                last = world.send(with_cookie(bare(&Method::GET, route.path), &mine.cookie)).await.status.as_u16();
            }
            assert_eq!(last, 429, "{}", route.path);
            let answer = world.send(with_cookie(bare(&Method::GET, route.path), &other.cookie)).await;
            assert_eq!(answer.status, 200, "{}: another session at the same address", route.path);
            world.advance(600_000);
        }
    });
}
