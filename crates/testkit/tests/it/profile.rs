//! `/api/v1/me`, and fields that nobody may set.

use doorward_testkit::both;
use http::Method;
use serde_json::json;

use crate::people::{HOME, OTHER_PASSWORD, OWNER, PASSWORD};

/// Columns of the database and what applications elsewhere call them.
const FIELDS: [&str; 14] = [
    "role",
    "is_admin",
    "tenant_id",
    "email_verified",
    "email_verified_at",
    "email_canonical",
    "password_hash",
    "phc",
    "mfa_required",
    "id",
    "created_at",
    "deleted_at",
    "disabled_at",
    "__proto__",
];

/// Proves: A-129, S-38, V15.3.3
#[test]
fn fields_that_nobody_may_set_are_refused_and_change_nothing() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let token = client.reset_token(OWNER).await;
        let before = client.get("/api/v1/me").await.expect(200).json();
        let events = world.actions().await;
        let bodies = [
            (Method::PATCH, "/api/v1/me", json!({ "name": "Mallory" })),
            (Method::POST, "/api/v1/signup", json!({ "email": "new@example.org", "password": PASSWORD })),
            (Method::POST, "/api/v1/login", json!({ "email": OWNER, "password": PASSWORD, "mode": "token" })),
            (Method::POST, "/api/v1/password/forgot", json!({ "email": OWNER })),
            (Method::POST, "/api/v1/password/reset", json!({ "token": token, "password": OTHER_PASSWORD })),
            (
                Method::POST,
                "/api/v1/password/change",
                json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD }),
            ),
            (Method::POST, "/api/v1/email-verifications", json!({ "verification": token })),
            (
                Method::POST,
                "/api/v1/email-verifications/confirm",
                json!({ "token": token, "password": OTHER_PASSWORD }),
            ),
            (Method::POST, "/api/v1/token", json!({ "refresh_token": client.refresh_token })),
        ];
        for (method, path, body) in bodies {
            for field in FIELDS {
                let mut body = body.clone();
                body[field] = json!(true);
                let answer = client.call(method.clone(), path, Some(&body)).await;
                let answer = answer.expect_problem(422, "validation_failed");
                assert_eq!(answer.complaints(), [(format!("/{field}"), "unknown_field".to_owned())], "{path}");
            }
        }
        assert_eq!(client.get("/api/v1/me").await.expect(200).json(), before);
        assert_eq!(world.actions().await, events);
        client.renew().await.expect(200);
    });
}

#[test]
fn a_person_changes_name_and_language_and_removes_the_name() {
    both(async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let mut client = world.api(HOME);
        client.sign_in(OWNER, PASSWORD).await.expect(200);
        let body = json!({ "name": "Ada Lovelace", "locale": "de" });
        let me = client.call(Method::PATCH, "/api/v1/me", Some(&body)).await.expect(200).json();
        assert_eq!((&me["name"], &me["locale"]), (&json!("Ada Lovelace"), &json!("de")));
        let me = client.call(Method::PATCH, "/api/v1/me", Some(&json!({ "name": null }))).await.expect(200).json();
        assert_eq!((&me["name"], &me["locale"]), (&json!(null), &json!("de")));
        assert_eq!(client.get("/api/v1/me").await.expect(200).json(), me);
        let bidi = json!({ "name": "Ada\u{202e}ecalevoL" });
        client.call(Method::PATCH, "/api/v1/me", Some(&bidi)).await.expect_problem(422, "validation_failed");
    });
}
