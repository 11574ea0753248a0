//! The first administrator.

use super::*;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

fn person(email: &str) -> NewUser {
    NewUser {
        email: EmailAddress::parse(email).unwrap(),
        password: Password::new("copper lantern under the old bridge").unwrap(),
        name: None,
        is_verified: true,
        is_admin: false,
    }
}

#[tokio::test]
async fn an_address_that_has_an_account_leaves_the_administrators_link_valid() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        app.create_user(&op(at(0), 1), person("taken@example.com")).await.unwrap().unwrap();
        let link = app.make_administrator_link(&op(at(1), 2)).await.unwrap().unwrap();
        let token = PlainToken::parse(TokenKind::OneTime, link.split_once("token=").unwrap().1).unwrap();
        let refused = app.create_first_administrator(&op(at(2), 3), &token, person("taken@example.com")).await;
        assert!(matches!(refused, Err(ConfirmError::AddressTaken)));
        let made = app.create_first_administrator(&op(at(3), 4), &token, person("other@example.com")).await.unwrap();
        assert!(made.is_admin);
        let again = app.create_first_administrator(&op(at(4), 5), &token, person("third@example.com")).await;
        assert!(matches!(again, Err(ConfirmError::Invalid)));
    })
    .await;
}

/// Somebody who is kept out administers nothing: without this, disabling the only administrator would lock everybody out
/// of the administration for ever.
#[tokio::test]
async fn a_disabled_administrator_is_none_for_the_one_time_link() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let first = NewUser { is_admin: true, ..person("first@example.com") };
        let first = app.create_user(&op(at(0), 1), first).await.unwrap().unwrap();
        assert_eq!(app.make_administrator_link(&op(at(1), 2)).await.unwrap(), None);
        app.disable_user(&op(at(2), 3), first.id).await.unwrap();
        let link = app.make_administrator_link(&op(at(3), 4)).await.unwrap().unwrap();
        let token = PlainToken::parse(TokenKind::OneTime, link.split_once("token=").unwrap().1).unwrap();
        // Back in time: the link is for a deployment without an administrator, and there is one again.
        app.enable_user(&op(at(4), 5), first.id).await.unwrap();
        let late = app.create_first_administrator(&op(at(5), 6), &token, person("second@example.com")).await;
        assert!(matches!(late, Err(ConfirmError::Invalid)));
        app.disable_user(&op(at(6), 7), first.id).await.unwrap();
        let link = app.make_administrator_link(&op(at(7), 8)).await.unwrap().unwrap();
        let token = PlainToken::parse(TokenKind::OneTime, link.split_once("token=").unwrap().1).unwrap();
        let made = app.create_first_administrator(&op(at(8), 9), &token, person("second@example.com")).await.unwrap();
        assert!(made.is_admin);
        assert_eq!(app.make_administrator_link(&op(at(9), 10)).await.unwrap(), None);
    })
    .await;
}
