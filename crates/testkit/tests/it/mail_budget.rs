//! How much mail strangers can make somebody receive.

use doorward_model::time::HOUR_MS;
use doorward_testkit::both;
use serde_json::json;

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD, stranger};

/// Beyond the three mails of an hour, one more may go to a network that asks for the first time.
const MOST_AN_HOUR: usize = 4;
/// Beyond the ten of a day, one an hour to a network that asks for the first time.
const MOST_A_DAY: usize = 10 + 24;

/// Proves: A-27
#[test]
fn a_flood_of_requests_is_a_few_mails_and_the_owner_always_has_a_link_that_works() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut asked = 0;
        for hour in 0..24 {
            for _ in 0..12 {
                asked += 1;
                let body = json!({ "email": OWNER });
                world.api(&stranger(asked)).post("/api/v1/password/forgot", &body).await.expect(202);
            }
            if hour == 0 {
                let sent = world.letters_to(OWNER).await.len();
                assert!((3..=MOST_AN_HOUR).contains(&sent), "{sent} in an hour");
            }
            world.advance(HOUR_MS);
        }
        let sent = world.letters_to(OWNER).await.len();
        assert!((10..=MOST_A_DAY).contains(&sent), "{sent} in a day");

        // The owner asks from a network of theirs in the middle of it.
        let home = world.api(HOME);
        let token = home.reset_token(OWNER).await;
        home.reset(&token, OTHER_PASSWORD).await.expect(204);
        home.login(OWNER, OTHER_PASSWORD).await.expect(200);
    });
}

/// Proves
#[test]
fn one_network_gets_three_mails_an_hour_to_one_address_however_it_asks() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let client = world.api(HOME);
        for _ in 0..10 {
            client.post("/api/v1/password/forgot", &json!({ "email": OWNER })).await.expect(202);
            client.sign_up(OWNER, PASSWORD).await.expect(202);
        }
        let sent = world.letters_to(OWNER).await.len();
        assert!((1..=3).contains(&sent), "{sent}");
        world.advance(HOUR_MS);
        client.post("/api/v1/password/forgot", &json!({ "email": OWNER })).await.expect(202);
        assert_eq!(world.letters_to(OWNER).await.len(), sent + 1);
    });
}
