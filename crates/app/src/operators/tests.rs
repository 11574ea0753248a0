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
