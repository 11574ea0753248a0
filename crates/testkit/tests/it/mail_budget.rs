//! How much mail strangers can make somebody receive.

use doorward_model::time::{HOUR_MS, MINUTE_MS};
use doorward_store::Statement;
use doorward_testkit::both;
use serde_json::json;

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD, count, read_text, stranger};

/// Proves: A-27
#[test]
fn a_flood_from_ever_new_networks_is_ten_mails_a_day_and_none_of_them_is_the_owners() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut known = world.browser(HOME);
        known.sign_in(OWNER, PASSWORD).await.expect(200);
        known.open("/account").await.expect(200);
        known.submit("/logout", &[]).await.expect(200);
        let mut asked = 0;
        for hour in 0..24 {
            for _ in 0..12 {
                asked += 1;
                let body = json!({ "email": OWNER });
                world.api(&stranger(asked)).post("/api/v1/password/forgot", &body).await.expect(202);
            }
            if hour == 0 {
                let sent = world.letters_to(OWNER).await.len();
                assert_eq!(sent, 3, "in an hour");
            }
            world.advance(HOUR_MS);
        }
        assert_eq!(world.letters_to(OWNER).await.len(), 10, "in a day");

        // In the middle of it, the owner asks in the browser that is known, and gets a mail at once.
        known.open("/forgot").await.expect(200);
        known.submit("/forgot", &[("email", OWNER)]).await.expect(200);
        assert_eq!(world.letters_to(OWNER).await.len(), 11);
        known.open(&world.last_letter_to(OWNER).await.link()).await.expect(200);
        known.submit("/reset", &[("password", OTHER_PASSWORD)]).await.expect(200);
        known.sign_in(OWNER, OTHER_PASSWORD).await.expect(200);
        assert_eq!(known.location, "/account");
    });
}

static COUNT_REQUESTS: Statement = Statement::new(
    "it::mail_budget::COUNT_REQUESTS",
    "SELECT count(*) FROM events WHERE action IN ('signup.requested', 'signup.verification_resent', 'password.reset_requested')",
);
static NEWEST_DATA: Statement = Statement::new(
    "it::mail_budget::NEWEST_DATA",
    "SELECT data FROM events WHERE action LIKE '%.requested' OR action LIKE '%_requested' ORDER BY id DESC LIMIT 1",
);

/// Proves
#[test]
fn requests_over_budget_write_one_event_a_minute_with_their_number() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        for (number, email) in [OWNER, "nobody@example.org"].into_iter().enumerate() {
            let client = world.api(&stranger(number));
            let before = count(world, &COUNT_REQUESTS).await;
            for _ in 0..10 {
                client.post("/api/v1/password/forgot", &json!({ "email": email })).await.expect(202);
                client.sign_up(email, PASSWORD).await.expect(202);
            }
            // Two mails, and one event for the first that was dropped.
            assert_eq!(count(world, &COUNT_REQUESTS).await - before, 3, "{email}");
            world.advance(MINUTE_MS);
            client.post("/api/v1/password/forgot", &json!({ "email": email })).await.expect(202);
            assert_eq!(count(world, &COUNT_REQUESTS).await - before, 4, "{email}");
            let data: serde_json::Value = serde_json::from_str(&read_text(world, &NEWEST_DATA).await).unwrap();
            assert_eq!(data, json!({ "reason": "mail_budget", "limiter": "address", "count": 18 }), "{email}");
        }
    });
}

/// Proves
#[test]
fn one_network_gets_two_mails_an_hour_to_one_address_however_it_asks() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let client = world.api(HOME);
        for _ in 0..10 {
            client.post("/api/v1/password/forgot", &json!({ "email": OWNER })).await.expect(202);
            client.sign_up(OWNER, PASSWORD).await.expect(202);
        }
        let sent = world.letters_to(OWNER).await.len();
        assert_eq!(sent, 2);
        world.advance(HOUR_MS);
        client.post("/api/v1/password/forgot", &json!({ "email": OWNER })).await.expect(202);
        assert_eq!(world.letters_to(OWNER).await.len(), sent + 1);
    });
}
