//! What strangers can do with somebody else's address.

use doorward_store::{Statement, Store};

use super::*;
use crate::test_app::{app, op};
use crate::test_database::{at, made_to_wait, on_both, on_postgres};

static HOLD_FIRST: Statement = Statement::new(
    "tests::HOLD_FIRST",
    "UPDATE pending_signups SET code_attempts = code_attempts WHERE id = (SELECT MIN(id) FROM pending_signups) RETURNING id",
);
static TAKE_OTHERS: Statement = Statement::new(
    "tests::TAKE_OTHERS",
    "SELECT id FROM pending_signups WHERE id > (SELECT MIN(id) FROM pending_signups) FOR UPDATE NOWAIT",
);
static ALL_LEFT: Statement = Statement::new("tests::ALL_LEFT", "SELECT id FROM pending_signups ORDER BY id");

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

/// Signs up twice; the handle of the sign-up that is locked last.
async fn second_of_two(app: &App, store: &Store) -> PlainToken {
    let handles = [sign_up(app, at(0), 1).await, sign_up(app, at(1), 2).await];
    let [first, second] = [find(store, &handles[0], at(1)).await.id, find(store, &handles[1], at(1)).await.id];
    assert!(first.to_string() < second.to_string());
    handles[1].clone()
}

/// Runs `confirm` while somebody else holds the first sign-up of the address, and finds that it waits without holding
/// the second, which the other will need.
async fn waits_with_nothing_in_hand<T: Send + 'static>(
    store: &Store,
    confirm: impl Future<Output = Result<T, ConfirmError>> + Send + 'static,
) {
    let (held, confirmed) = made_to_wait(store, (&HOLD_FIRST, &TAKE_OTHERS), confirm).await;
    assert_eq!(held.len(), 1, "the other one is free");
    assert!(confirmed.is_ok());
}

#[tokio::test]
async fn of_two_who_confirm_at_the_same_moment_none_holds_what_the_other_needs() {
    on_postgres(|store| async move {
        let app = app(&store, at(0)).await;
        let second = second_of_two(&app, &store).await;
        let right = code(&app, &find(&store, &second, at(1)).await, at(1));
        let confirm = async move { app.confirm_with_code(&op(at(1), 3), &second, &right).await };
        waits_with_nothing_in_hand(&store, confirm).await;
    })
    .await;
    on_postgres(|store| async move {
        let app = app(&store, at(0)).await;
        let second = second_of_two(&app, &store).await;
        let link = app.signup_link(find(&store, &second, at(0)).await.id);
        let password = Password::new("nine walnuts beside a harbour").unwrap();
        let confirm = async move { app.confirm_with_link(&op(at(1), 3), &link, password).await };
        waits_with_nothing_in_hand(&store, confirm).await;
    })
    .await;
}

/// Proves: A-67
#[tokio::test]
async fn of_all_who_confirm_an_address_at_once_one_makes_the_account() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let (mut handles, mut confirming) = (Vec::new(), Vec::new());
        for seed in 1..=3 {
            let handle = sign_up(&app, at(0), seed).await;
            handles.push((seed, find(&store, &handle, at(0)).await, handle));
        }
        for (seed, signup, handle) in handles {
            let (right, link) = (code(&app, &signup, at(0)), app.signup_link(signup.id));
            for number in 0..3 {
                let (app, handle, right) = (app.clone(), handle.clone(), right.clone());
                let op = op(at(1), seed * 10 + number);
                confirming.push(tokio::spawn(async move { app.confirm_with_code(&op, &handle, &right).await }));
            }
            // Whoever comes with a link uses up its sign-up, in vain or not.
            if seed > 1 {
                continue;
            }
            let (app, op) = (app.clone(), op(at(1), seed * 10 + 9));
            let password = Password::new("nine walnuts beside a harbour").unwrap();
            confirming.push(tokio::spawn(async move { app.confirm_with_link(&op, &link, password).await }));
        }
        let mut made = 0;
        for confirmed in confirming {
            match confirmed.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert!(matches!(error, ConfirmError::Invalid), "{error:?}"),
            }
        }
        assert_eq!(made, 1);
        let left = store.read::<_, StoreError, _>(|tx| tx.query_all(&ALL_LEFT, &[], |row| row.get::<String>(0))).await;
        assert!(left.unwrap().is_empty(), "the other sign-ups are forgotten");
    })
    .await;
}
