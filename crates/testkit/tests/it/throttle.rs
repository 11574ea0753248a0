//! The sign-in throttle as clients meet it.

use doorward_model::time::{DAY_MS, HOUR_MS};
use doorward_testkit::both;
use serde_json::json;

use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD, WRONG_PASSWORD, stranger};

/// Proves: A-10, S-59, S-112, V6.3.1, S-129, S-151, S-165
#[test]
fn two_hundred_guesses_from_one_network_are_five_and_the_right_one_does_not_help() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let before = world.app().hasher.gauges().computed;
        let guesser = world.api(AWAY);
        let mut looked_at = 0;
        for number in 0..199 {
            let answer = guesser.login(OWNER, &format!("{WRONG_PASSWORD} {number}")).await;
            match answer.status.as_u16() {
                401 => looked_at += 1,
                429 => assert_eq!(answer.code(), "rate_limited"),
                other => panic!("{other}"),
            }
        }
        guesser.login(OWNER, PASSWORD).await.expect_problem(429, "rate_limited");
        assert!((5..=6).contains(&looked_at), "{looked_at}");
        assert_eq!(world.app().hasher.gauges().computed - before, looked_at);
        world.api(HOME).login(OWNER, PASSWORD).await.expect(200);
        world.advance(HOUR_MS);
        guesser.login(OWNER, PASSWORD).await.expect(200);
    });
}

/// Proves: A-11, V6.3.1
#[test]
fn two_hundred_guesses_at_once_verify_no_more_hashes_than_the_budget() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        for (one_network, most) in [(true, 6), (false, 100)] {
            let before = world.app().hasher.gauges().computed;
            let mut guesses = tokio::task::JoinSet::new();
            for number in 0..200 {
                let address = if one_network { AWAY.to_owned() } else { stranger(number) };
                let client = world.api(&address);
                guesses.spawn(async move { client.login(OWNER, WRONG_PASSWORD).await.status.as_u16() });
            }
            let answers = guesses.join_all().await;
            let looked_at = u64::try_from(answers.iter().filter(|status| **status == 401).count()).unwrap();
            let refused = u64::try_from(answers.iter().filter(|status| **status == 429).count()).unwrap();
            assert_eq!(looked_at + refused, 200, "{answers:?}");
            let computed = world.app().hasher.gauges().computed - before;
            assert!(computed <= most && computed > 0, "{computed} hashes for a budget of {most}");
            assert_eq!(computed, looked_at);
        }
    });
}

/// Proves: A-1, S-60, V6.3.8
#[test]
fn known_and_unknown_addresses_are_throttled_alike() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut answers = Vec::new();
        for email in [OWNER, "nobody@example.org"] {
            let client = world.api(if email == OWNER { HOME } else { AWAY });
            let mut shapes = Vec::new();
            for _ in 0..12 {
                shapes.push(client.login(email, WRONG_PASSWORD).await.shape());
            }
            answers.push(shapes);
        }
        assert_eq!(answers[0].last().unwrap().0, 429);
        assert_eq!(answers[0], answers[1]);
    });
}

/// Proves, S-59, V6.1.1, V6.3.1, V6.3.5
#[test]
fn an_attack_from_everywhere_neither_gets_in_nor_keeps_the_owner_out() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut home = world.browser(HOME);
        home.sign_in(OWNER, PASSWORD).await.expect(200);
        let before = world.app().hasher.gauges().computed;
        for number in 0..250 {
            world.advance(DAY_MS / 250);
            let answer = world.api(&stranger(number)).login(OWNER, WRONG_PASSWORD).await;
            assert!([401, 429].contains(&answer.status.as_u16()));
        }
        let actions = world.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "password.switched_off").count(), 1);
        assert!(world.app().hasher.gauges().computed - before <= 250);
        world.api(&stranger(900)).login(OWNER, PASSWORD).await.expect_problem(401, "invalid_credentials");

        let mut again = world.browser(HOME);
        again.jar.clone_from(&home.jar);
        again.jar.remove("__Host-doorward");
        again.sign_in(OWNER, PASSWORD).await.expect(200);
        assert_eq!(again.location, "/account");

        let new_device = world.api(&stranger(901));
        let token = new_device.reset_token(OWNER).await;
        new_device.reset(&token, OTHER_PASSWORD).await.expect(204);
        new_device.login(OWNER, OTHER_PASSWORD).await.expect(200);
    });
}

/// Proves: A-18
#[test]
fn addresses_of_one_ipv6_network_are_one_source() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut looked_at = 0;
        for number in 0..30 {
            let client = world.api(&format!("2001:db8:7:1::{number:x}"));
            let answer = client.login(OWNER, WRONG_PASSWORD).await;
            looked_at += i32::from(answer.status.as_u16() == 401);
        }
        assert!((5..=6).contains(&looked_at), "{looked_at}");
    });
}

/// Proves: A-17
#[test]
fn headers_that_name_another_client_change_nothing_without_a_trusted_proxy() {
    use doorward_testkit::world::Request;
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let body = json!({ "email": OWNER, "password": WRONG_PASSWORD, "mode": "token" }).to_string();
        let mut looked_at = 0;
        for number in 0..30 {
            let claimed = stranger(number);
            let request = Request::new(http::Method::POST, "/api/v1/login", AWAY)
                .header("x-forwarded-for", &claimed)
                .header("forwarded", &format!("for={claimed}"))
                .header("x-real-ip", &claimed)
                .header("cf-connecting-ip", &claimed)
                .header("content-type", "application/json")
                .body(body.clone());
            looked_at += i32::from(world.send(request).await.status.as_u16() == 401);
        }
        assert!((5..=6).contains(&looked_at), "{looked_at}");
        let addresses: Vec<_> = world.events().await.into_iter().filter_map(|event| event.address).collect();
        assert!(!addresses.is_empty() && addresses.iter().all(|address| address == AWAY), "{addresses:?}");
    });
}
