//! Resets that meet each other.

use doorward_store::{Statement, Store, StoreError};

use super::*;
use crate::operators::NewUser;
use crate::test_app::{app, op};
use crate::test_database::{at, made_to_wait, on_both, on_postgres};

const EMAIL: &str = "owner@example.com";
const FIRST: &str = "copper lantern under the old bridge";

static LOCK_USERS: Statement = Statement::new("tests::LOCK_USERS", "SELECT id FROM users FOR UPDATE");
static LOCK_LINKS: Statement = Statement::new("tests::LOCK_LINKS", "SELECT id FROM one_time_tokens FOR UPDATE NOWAIT");

async fn with_owner(store: &Store) -> App {
    let app = app(store, at(0)).await;
    let new = NewUser {
        email: EmailAddress::parse(EMAIL).unwrap(),
        password: Password::new(FIRST).unwrap(),
        name: None,
        is_verified: true,
        is_admin: false,
    };
    app.create_user(&op(at(0), 1), new).await.unwrap().unwrap();
    app
}

/// Makes a link as the mail would carry it.
async fn link(app: &App, seed: u64) -> PlainToken {
    let op = op(at(1), seed);
    let token = PlainToken::new(TokenKind::OneTime, op.random.as_ref());
    let user = app.find_user_by_email(&EmailAddress::parse(EMAIL).unwrap()).await.unwrap().unwrap();
    let row = OneTimeToken {
        id: OneTimeId::new(op.now, op.random.as_ref()),
        user_id: Some(user.id),
        created_at: op.now,
        expires_at: op.now.plus_ms(RESET_MS),
    };
    let hash = token.hash();
    let insert = app.store.write(move |tx| one_time_tokens::insert(tx, &row, Purpose::PasswordReset, &hash));
    insert.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    token
}

/// A reset that waits for the account holds no link, so no other reset can wait for it in turn.
#[tokio::test]
async fn a_reset_waits_for_the_account_before_it_takes_its_link() {
    on_postgres(|store| async move {
        let app = with_owner(&store).await;
        let (one, _) = (link(&app, 2).await, link(&app, 3).await);
        let reset = {
            let (app, password) = (app.clone(), Password::new("nine walnuts beside a harbour").unwrap());
            async move { app.reset_password(&op(at(2), 4), &one, password).await }
        };
        let (links, reset) = made_to_wait(&store, (&LOCK_USERS, &LOCK_LINKS), reset).await;
        assert_eq!(links.len(), 2, "the waiting reset held its link");
        reset.unwrap();
    })
    .await;
}

/// Proves: A-57
#[tokio::test]
async fn of_two_resets_with_two_links_at_once_one_counts() {
    on_both(|store| async move {
        let app = with_owner(&store).await;
        let mut links = Vec::new();
        for seed in 2..10 {
            links.push((seed, link(&app, seed).await));
        }
        let mut resets = tokio::task::JoinSet::new();
        for (seed, link) in links {
            let app = app.clone();
            resets.spawn(async move {
                let password = Password::new(&format!("nine walnuts beside harbour {seed}")).unwrap();
                app.reset_password(&op(at(2), 100 + seed), &link, password).await
            });
        }
        let done = resets.join_all().await;
        assert_eq!(done.iter().filter(|reset| reset.is_ok()).count(), 1);
        assert!(done.iter().all(|reset| matches!(reset, Ok(_) | Err(ResetError::Invalid))));
    })
    .await;
}
