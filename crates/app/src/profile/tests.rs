//! Two changes of one profile at once.

use doorward_model::email::EmailAddress;
use doorward_model::id::SessionId;
use doorward_model::password::Password;
use doorward_store::Statement;

use super::*;
use crate::authentication::Via;
use crate::operators::NewUser;
use crate::test_app::{app, op};
use crate::test_database::{at, made_to_wait, on_both, on_postgres};

static LOCK_USERS: Statement = Statement::new("tests::LOCK_USERS", "SELECT id FROM users FOR UPDATE");
static SPEAK_GERMAN: Statement = Statement::new("tests::SPEAK_GERMAN", "UPDATE users SET locale = 'de' RETURNING id");

async fn with_owner(store: &doorward_store::Store) -> (App, Principal) {
    let app = app(store, at(0)).await;
    let new = NewUser {
        email: EmailAddress::parse("owner@example.com").unwrap(),
        password: Password::new("copper lantern under the old bridge").unwrap(),
        name: Some(DisplayName::parse("Ada").unwrap()),
        is_verified: true,
        is_admin: false,
    };
    let user = app.create_user(&op(at(0), 1), new).await.unwrap().unwrap();
    let principal = Principal {
        user_id: user.id,
        session_id: SessionId::from_uuid([1; 16]),
        is_admin: false,
        authenticated_at: at(0),
        via: Via::Cookie,
    };
    (app, principal)
}

fn renaming(name: &str) -> ProfileChange {
    ProfileChange { name: Some(Some(DisplayName::parse(name).unwrap())), locale: None }
}

#[tokio::test]
async fn a_change_of_the_name_does_not_undo_a_change_of_the_language_at_the_same_time() {
    on_postgres(|store| async move {
        let (app, principal) = with_owner(&store).await;
        let change = async move { app.change_profile(&op(at(1), 2), &principal, renaming("Grace")).await };
        let (_, changed) = made_to_wait(&store, (&LOCK_USERS, &SPEAK_GERMAN), change).await;
        let user = changed.unwrap().unwrap();
        assert_eq!((user.name.as_deref(), user.locale.as_deref()), (Some("Grace"), Some("de")));
    })
    .await;
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_nothing_else() {
    on_both(|store| async move {
        let (app, principal) = with_owner(&store).await;
        let change = async |seed, change| {
            let user = app.change_profile(&op(at(1), seed), &principal, change).await.unwrap().unwrap();
            (user.name, user.locale)
        };
        let text = |text: &str| Some(text.to_owned());
        let german = ProfileChange { name: None, locale: Some(Locale::German) };
        assert_eq!(change(2, german).await, (text("Ada"), text("de")));
        assert_eq!(change(3, renaming("Grace")).await, (text("Grace"), text("de")));
        let nameless = ProfileChange { name: Some(None), locale: None };
        assert_eq!(change(4, nameless).await, (None, text("de")));
        assert_eq!(change(5, ProfileChange::default()).await, (None, text("de")));
    })
    .await;
}
