//! Looking at something changes nothing.

use doorward_testkit::both;
use doorward_testkit::world::Request;
use http::{Method, header};
use serde_json::json;

use super::{path, routes, state};
use crate::credentials::{ADDRESS, EMAIL, PASSWORD, bare, browser, register, with_bearer, with_cookie, with_json};

/// Proves, V3.5.3
#[test]
fn get_and_head_change_nothing() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let reset = world.api("198.51.100.9").reset_token(EMAIL).await;
        let before = state(world).await;
        for route in routes().into_iter().filter(|route| route.method == Method::GET) {
            for method in [Method::GET, Method::HEAD] {
                for query in [String::new(), format!("?token={reset}")] {
                    let target = format!("{}{query}", path(&route));
                    for request in [
                        bare(&method, &target),
                        with_cookie(bare(&method, &target), &held.cookie),
                        with_bearer(bare(&method, &target), &held.access),
                    ] {
                        let answer = world.send(request).await;
                        assert!(answer.status.as_u16() < 500, "{method} {target}");
                        assert!(method == Method::GET || answer.body.is_empty(), "{method} {target}");
                    }
                }
            }
        }
        assert_eq!(state(world).await, before);
        world.api("198.51.100.9").reset(&reset, PASSWORD).await.expect(204);
    });
}

/// Proves: A-25
#[test]
fn a_password_in_a_url_signs_nobody_in() {
    both(async |world| {
        register(world, EMAIL).await;
        let before = state(world).await;
        let query = format!("?email={EMAIL}&password={}", PASSWORD.replace(' ', "%20"));
        world.send(bare(&Method::GET, &format!("/api/v1/login{query}"))).await.expect(405);
        let answer = world.send(bare(&Method::GET, &format!("/login{query}"))).await;
        assert!(answer.cookies().iter().all(|(name, _)| name != "__Host-doorward"), "{answer:?}");
        assert_eq!(state(world).await, before);
    });
}

/// Proves: A-50, S-5
#[test]
fn links_lead_to_the_public_url_whatever_host_a_request_names() {
    both(async |world| {
        register(world, EMAIL).await;
        let forgot = |host: &str| {
            let request = Request::new(Method::POST, "/api/v1/password/forgot", ADDRESS).header(header::HOST, host);
            with_json(request, &json!({ "email": EMAIL }))
        };
        for host in [
            "evil.example",
            "auth.example.test.evil.example",
            "auth.example.test:444",
            "auth.example.test@evil.example",
            "user@auth.example.test",
            "",
            "localhost",
            "127.0.0.1",
            "auth.example.test evil.example",
        ] {
            let answer = world.send(forgot(host)).await;
            assert!([400, 421].contains(&answer.status.as_u16()), "{host}: {answer:?}");
        }
        let twice = forgot("auth.example.test").header(header::HOST, "evil.example");
        world.send(twice).await.expect(400);
        assert_eq!(world.letters().await.len(), 0);
        for (name, value) in [
            ("x-forwarded-host", "evil.example"),
            ("x-host", "evil.example"),
            ("forwarded", "host=evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-original-url", "/admin"),
            ("x-forwarded-prefix", "//evil.example"),
        ] {
            world.send(forgot("auth.example.test").header(name, value)).await.expect(202);
        }
        let letters = world.letters_to(EMAIL).await;
        assert!(!letters.is_empty());
        for letter in letters {
            assert!(letter.text.contains("https://auth.example.test/reset?token=") && !letter.text.contains("evil"));
        }
    });
}
