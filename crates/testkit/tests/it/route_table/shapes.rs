//! Requests that cannot be read.

use doorward_testkit::both;
use doorward_testkit::world::Request;
use doorward_web::route::{CsrfRule, Door};
use http::{Method, header};

use super::{path, routes, state};
use crate::credentials::{ADDRESS, EMAIL, bare, browser, csrf, register, same_origin, with_cookie};

/// Bodies that no call takes, with what is said about them.
fn hostile_json() -> Vec<(String, &'static [u16])> {
    let invalid: &[u16] = &[400];
    let wrong: &[u16] = &[422];
    let mut all: Vec<(String, &'static [u16])> = [
        "{",
        "}",
        "{]",
        "nul",
        "{\"a\":}",
        "{\"a\" 1}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1,}",
        "{}{}",
        "{} x",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\ud800\"}",
        "\u{feff}{}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "// x\n{}",
        "{\"a\":.5}",
        "<xml/>",
        "email=x&password=y",
        "\u{0}",
    ]
    .into_iter()
    .map(|text| (text.to_owned(), invalid))
    .collect();
    all.extend(
        ["[]", "\"x\"", "1", "true", "null", "{\"no_such_field\":1}", "{\"__proto__\":{}}", "{\"\":1}"]
            .map(|text| (text.to_owned(), wrong)),
    );
    all.push((format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)), invalid));
    all.push((format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500)), invalid));
    all.push((format!("{{\"a\":\"{}\"}}", "x".repeat(70_000)), &[413]));
    all
}

/// Proves, S-43, V1.5.2, S-100, V2.2.1, V2.2.2
#[test]
fn every_call_refuses_what_it_cannot_read() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let token = csrf(world, &held.cookie).await;
        let before = state(world).await;
        let hostile = hostile_json();
        assert!(hostile.len() >= 30);
        for route in routes().into_iter().filter(|route| route.door == Door::Api && route.csrf != CsrfRule::Safe) {
            let what = format!("{} {}", route.method, route.path);
            let ask = || {
                let request = same_origin(Request::new(route.method.clone(), &path(&route), ADDRESS));
                let is_own = route.csrf == CsrfRule::SessionHeader;
                if is_own { with_cookie(request, &held.cookie).header("x-csrf-token", &token) } else { request }
            };
            for (body, expected) in &hostile {
                let request = ask().header(header::CONTENT_TYPE, "application/json").body(body.clone());
                let answer = world.send(request).await;
                let shown: String = body.chars().take(40).collect();
                assert!(expected.contains(&answer.status.as_u16()), "{what} {shown:?}: {}", answer.text());
            }
            for content_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/json; charset=utf-7",
                "multipart/form-data; boundary=x",
                "application/xml",
                "",
                "application/jsonx",
                "text/json",
            ] {
                let request = ask().header(header::CONTENT_TYPE, content_type).body("{}".to_owned());
                world.send(request).await.expect_problem(415, "unsupported_media_type");
            }
            let request = ask().header(header::CONTENT_TYPE, "application/json").header("content-encoding", "gzip");
            world.send(request.body("{}".to_owned())).await.expect_problem(415, "unsupported_media_type");
            let request = ask().header(header::CONTENT_TYPE, "application/json").header("content-length", "10000000");
            world.send(request).await.expect_problem(413, "payload_too_large");
        }
        assert_eq!(state(world).await, before);
    });
}

/// Proves: A-153, S-43
#[test]
fn every_form_refuses_what_is_no_form() {
    both(async |world| {
        register(world, EMAIL).await;
        let held = browser(world, EMAIL).await;
        let token = csrf(world, &held.cookie).await;
        let before = state(world).await;
        for route in routes().into_iter().filter(|route| route.csrf == CsrfRule::SessionForm) {
            for (content_type, body, expected) in [
                ("application/json", format!("{{\"csrf_token\":\"{token}\"}}"), 415),
                ("text/plain", format!("csrf_token={token}"), 415),
                ("multipart/form-data; boundary=x", String::new(), 415),
                ("application/x-www-form-urlencoded; charset=utf-7", format!("csrf_token={token}"), 415),
                ("application/x-www-form-urlencoded", format!("csrf_token={token}&csrf_token={token}"), 400),
                ("application/x-www-form-urlencoded", format!("csrf_token={token}&a=%ff"), 400),
                ("application/x-www-form-urlencoded", format!("csrf_token={token}&a={}", "x".repeat(70_000)), 413),
            ] {
                let request = Request::new(route.method.clone(), &path(&route), ADDRESS);
                let request = same_origin(with_cookie(request, &held.cookie));
                let answer = world.send(request.header(header::CONTENT_TYPE, content_type).body(body)).await;
                assert_eq!(answer.status, expected, "{} {content_type}: {}", route.path, answer.text());
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{}", route.path);
            }
        }
        assert_eq!(state(world).await, before);
    });
}

/// Proves
#[test]
fn what_is_too_long_or_nowhere_is_refused_in_the_form_of_its_door() {
    both(async |world| {
        let long = "x".repeat(9_000);
        world.send(bare(&Method::GET, &format!("/api/v1/me?{long}"))).await.expect_problem(414, "uri_too_long");
        let bomb = bare(&Method::GET, "/api/v1/me").header("x-bomb", &"x".repeat(17_000));
        world.send(bomb).await.expect_problem(431, "headers_too_large");
        let cookie = bare(&Method::GET, "/api/v1/me").header(header::COOKIE, &"c".repeat(17_000));
        world.send(cookie).await.expect_problem(431, "headers_too_large");
        let many = (0..200).fold(bare(&Method::GET, "/api/v1/me"), |request, n| request.header(format!("x-{n}"), "1"));
        world.send(many).await.expect_problem(431, "headers_too_large");
        world.send(bare(&Method::GET, "/api/v1/nothing")).await.expect_problem(404, "not_found");
        world.send(bare(&Method::DELETE, "/api/v1/login")).await.expect_problem(405, "method_not_allowed");
        let twice = bare(&Method::GET, "/api/v1/me").header(header::COOKIE, "__Host-doorward=a; __Host-doorward=b");
        world.send(twice).await.expect_problem(400, "malformed_request");
    });
}
