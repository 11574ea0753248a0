//! What a password check leaves behind.

use doorward_model::email::EmailAddress;
use doorward_model::time::Timestamp;
use doorward_store::Store;
use doorward_store::events;

use super::*;
use crate::hashing::HasherOptions;
use crate::login::{SignIn, SignInOutcome};
use crate::operators::NewUser;
use crate::sessions::start::Mode;
use crate::test_app::{app, app_hashing, hashing, op};
use crate::test_database::{at, on_both};

const EMAIL: &str = "owner@example.com";
const RIGHT: &str = "copper lantern under the old bridge";

async fn with_owner(store: &Store) -> App {
    let app = app(store, at(0)).await;
    let new = NewUser {
        email: EmailAddress::parse(EMAIL).unwrap(),
        password: Password::new(RIGHT).unwrap(),
        name: None,
        is_verified: true,
        is_admin: false,
    };
    app.create_user(&op(at(0), 1), new).await.unwrap().unwrap();
    app
}

async fn sign_in(app: &App, password: &str, now: Timestamp, seed: u64) -> Result<SignInOutcome, Failure> {
    let input = SignIn {
        email: EMAIL.to_owned(),
        password: Password::new(password).unwrap(),
        mode: Mode::Cookie { remember: false },
        device_cookie: None,
        previous: None,
    };
    app.sign_in(&op(now, seed), input).await
}

/// Proves: A-21
#[tokio::test]
async fn a_full_hash_pool_counts_against_nobody() {
    on_both(|store| async move {
        let app = with_owner(&store).await;
        let full = app_hashing(&store, at(0), HasherOptions { queue: 0, ..hashing() }).await;
        for seed in 10..30 {
            let refused = sign_in(&full, RIGHT, at(1), seed).await;
            assert!(matches!(refused, Err(Failure::TooBusy { .. })));
        }
        assert!(matches!(sign_in(&app, RIGHT, at(1), 30).await, Ok(SignInOutcome::SignedIn(_))));
    })
    .await;
}

/// Proves: A-12
#[tokio::test]
async fn the_failure_that_switches_the_password_off_is_one_event_with_its_count() {
    on_both(|store| async move {
        let app = with_owner(&store).await;
        let limit = app.throttle.policy().run.limit;
        // Each from a network of its own, so that only the hard bound is reached.
        for number in 0..limit {
            let octets = u32::try_from(number).unwrap().to_be_bytes();
            let mut op = op(at(number * 60_000), 100 + number.unsigned_abs());
            op.address = Some(std::net::Ipv4Addr::new(203, octets[2], octets[3], 1).into());
            let input = SignIn {
                email: EMAIL.to_owned(),
                password: Password::new("not the password of anybody").unwrap(),
                mode: Mode::Cookie { remember: false },
                device_cookie: None,
                previous: None,
            };
            assert!(matches!(app.sign_in(&op, input).await, Ok(SignInOutcome::Refused)));
        }
        let events = store.read::<_, doorward_store::StoreError, _>(|tx| events::list(tx, "", 1_000)).await.unwrap();
        let off: Vec<_> = events.iter().filter(|event| event.action == "password.switched_off").collect();
        assert_eq!(off.len(), 1);
        assert_eq!(off[0].data, r#"{"count":1}"#);
    })
    .await;
}
