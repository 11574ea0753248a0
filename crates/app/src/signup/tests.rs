//! What strangers can do with somebody else's address.

use doorward_store::Store;

use super::*;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

async fn sign_up(app: &App, now: Timestamp, seed: u64) -> PlainToken {
    let input = SignUp {
        email: EmailAddress::parse("victim@example.com").unwrap(),
        password: Password::new("a stranger chose these words").unwrap(),
        name: None,
        locale: Locale::default(),
        device_cookie: None,
    };
    app.sign_up(&op(now, seed), input).await.unwrap()
}

async fn find(store: &Store, handle: &PlainToken, now: Timestamp) -> PendingSignup {
    let hash = handle.hash();
    let found = store.read::<_, StoreError, _>(move |tx| pending_signups::find_by_handle(tx, &hash, now)).await;
    found.unwrap().unwrap()
}

fn code(app: &App, signup: &PendingSignup, issued_at: Timestamp) -> String {
    format!("{:06}", app.signup_code(signup.id, issued_at))
}

/// Proves: A-67
#[tokio::test]
async fn a_code_that_nobody_was_mailed_does_not_work() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let mailed = sign_up(&app, at(0), 1).await;
        let (mut unmailed, mut seed) = (None, 2);
        while unmailed.is_none() {
            assert!(seed < 20, "the budget of an address is small");
            let handle = sign_up(&app, at(0), seed).await;
            unmailed = find(&store, &handle, at(0)).await.code_issued_at.is_none().then_some(handle);
            seed += 1;
        }
        let unmailed = unmailed.unwrap();
        let guess = code(&app, &find(&store, &unmailed, at(0)).await, at(0));
        let refused = app.confirm_with_code(&op(at(1), 30), &unmailed, &guess).await;
        assert!(matches!(refused, Err(ConfirmError::Invalid)));
        let right = code(&app, &find(&store, &mailed, at(0)).await, at(0));
        app.confirm_with_code(&op(at(1), 31), &mailed, &right).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sign_up_over_budget_gets_its_code_when_it_is_mailed_again() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let mut handle = sign_up(&app, at(0), 1).await;
        for seed in 2..20 {
            handle = sign_up(&app, at(0), seed).await;
        }
        assert_eq!(find(&store, &handle, at(0)).await.code_issued_at, None);
        let later = at(2 * HOUR_MS);
        app.resend_verification(&op(later, 30), &handle, None).await.unwrap();
        let signup = find(&store, &handle, later).await;
        assert_eq!(signup.code_issued_at, Some(later));
        let right = code(&app, &signup, later);
        app.confirm_with_code(&op(later, 31), &handle, &right).await.unwrap();
    })
    .await;
}

/// Proves: A-2
#[tokio::test]
async fn a_sign_up_for_a_known_address_keeps_no_hash_of_the_password() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let first = sign_up(&app, at(0), 1).await;
        let signup = find(&store, &first, at(0)).await;
        assert!(signup.phc.starts_with("$argon2id$"));
        app.confirm_with_code(&op(at(1), 2), &first, &code(&app, &signup, at(0))).await.unwrap();
        let second = sign_up(&app, at(2), 3).await;
        let known = find(&store, &second, at(2)).await;
        assert_eq!((known.phc.as_str(), known.link_hash.is_none()), ("", true));
        app.resend_verification(&op(at(3), 4), &second, None).await.unwrap();
        let known = find(&store, &second, at(3)).await;
        assert_eq!(known.code_issued_at, None, "asking again makes no code either");
    })
    .await;
}
