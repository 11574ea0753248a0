//! Sessions on several nodes.

use doorward_model::email::EmailAddress;
use doorward_model::password::Password;
use doorward_store::Store;

use super::start::{Credential, Mode};
use super::*;
use crate::login::{SignIn, SignInOutcome};
use crate::operators::NewUser;
use crate::passwords::PasswordChange;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

const EMAIL: &str = "owner@example.com";
const OLD: &str = "copper lantern under the old bridge";
const NEW: &str = "seven herons above a quiet harbour";

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

async fn create_owner(app: &App) {
    let email = EmailAddress::parse(EMAIL).unwrap();
    let new = NewUser { email, password: password(OLD), name: None, is_verified: true, is_admin: false };
    app.create_user(&op(at(0), 1), new).await.unwrap().unwrap();
}

async fn sign_in(app: &App, now: Timestamp, seed: u64) -> (PlainToken, SessionId) {
    let input = SignIn {
        email: EMAIL.to_owned(),
        password: password(OLD),
        mode: Mode::Cookie { remember: false },
        device_cookie: None,
        previous: None,
    };
    let Ok(SignInOutcome::SignedIn(signed_in)) = app.sign_in(&op(now, seed), input).await else {
        panic!("the sign-in was refused")
    };
    let Credential::Cookie(cookie) = signed_in.credential else { panic!("a cookie was asked for") };
    (cookie, signed_in.session.id)
}

async fn two_nodes(store: &Store) -> (App, App) {
    let (here, there) = (app(store, at(0)).await, app(store, at(0)).await);
    create_owner(&here).await;
    for node in [&here, &there] {
        node.poll_revocations(&op(at(0), 2)).await.unwrap();
    }
    (here, there)
}

/// Proves
#[tokio::test]
async fn after_a_password_change_the_old_cookie_is_dead_on_every_node() {
    on_both(|store| async move {
        let (here, there) = two_nodes(&store).await;
        let (cookie, _) = sign_in(&here, at(1), 3).await;
        let principal = here.authenticate_cookie(&op(at(2), 4), &cookie).await.unwrap();
        there.authenticate_cookie(&op(at(2), 5), &cookie).await.unwrap();

        let changed = here.change_password(&op(at(3), 6), &principal, password(OLD), password(NEW)).await.unwrap();
        let PasswordChange::Changed { session: Some(session), .. } = changed else { panic!("it was not changed") };
        let (renewed, _) = *session;
        assert!(here.authenticate_cookie(&op(at(4), 7), &cookie).await.is_err());
        there.poll_revocations(&op(at(5), 8)).await.unwrap();
        assert!(there.authenticate_cookie(&op(at(6), 9), &cookie).await.is_err());
        there.authenticate_cookie(&op(at(7), 10), &renewed).await.unwrap();
        assert!(there.authenticate_cookie(&op(at(8), 11), &cookie).await.is_err());
    })
    .await;
}

/// Proves: A-36
#[tokio::test]
async fn a_revocation_whose_request_took_half_a_minute_reaches_the_other_node() {
    on_both(|store| async move {
        let (here, there) = two_nodes(&store).await;
        let (cookie, id) = sign_in(&here, at(1), 3).await;
        there.authenticate_cookie(&op(at(2), 4), &cookie).await.unwrap();
        let principal = here.authenticate_cookie(&op(at(2), 5), &cookie).await.unwrap();
        // The request began at 3 and was committed at 30,000, where polls had long passed its time.
        assert!(here.end_session(&op(at(3), 6), &principal, id).await.unwrap());
        there.poll_revocations(&op(at(30_000), 7)).await.unwrap();
        assert!(there.authenticate_cookie(&op(at(30_001), 8), &cookie).await.is_err());
    })
    .await;
}

/// Proves: A-38
#[tokio::test]
async fn a_session_begun_after_the_clock_was_set_back_is_not_the_one_that_makes_room() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        create_owner(&app).await;
        for number in 0..20 {
            sign_in(&app, at(3_600_000 + number), 100 + number.unsigned_abs()).await;
        }
        let (cookie, id) = sign_in(&app, at(5), 200).await;
        app.authenticate_cookie(&op(at(6), 201), &cookie).await.unwrap();
        let user = app.find_user_by_email(&EmailAddress::parse(EMAIL).unwrap()).await.unwrap().unwrap().id;
        let (living, _) = app.list_sessions(&op(at(7), 202), user, None, 100).await.unwrap();
        assert_eq!(living.len(), 20);
        assert!(living.iter().any(|session| session.id == id));
    })
    .await;
}

#[tokio::test]
async fn sessions_of_one_millisecond_keep_the_order_they_began_in() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        create_owner(&app).await;
        let mut begun = Vec::new();
        for number in 0..30_u64 {
            begun.insert(0, sign_in(&app, at(1), 300 + number).await.1);
        }
        let user = app.find_user_by_email(&EmailAddress::parse(EMAIL).unwrap()).await.unwrap().unwrap().id;
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let (page, next) = app.list_sessions(&op(at(2), 400), user, before, 7).await.unwrap();
            listed.extend(page.into_iter().map(|session| session.id));
            before = next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(listed, begun[..20]);
    })
    .await;
}
