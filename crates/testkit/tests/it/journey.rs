//! The first whole thing: from no account to signed out.

use doorward_testkit::both;
use http::Method;
use serde_json::json;

const EMAIL: &str = "Ada@example.org";
const PASSWORD: &str = "lovelace met babbage in june";

#[test]
fn a_person_signs_up_confirms_signs_in_and_signs_out() {
    both(async |world| {
        let mut ada = world.api("198.51.100.7");
        let verification = ada.sign_up(EMAIL, PASSWORD).await.expect(202).string("verification");
        ada.login(EMAIL, PASSWORD).await.expect_problem(401, "invalid_credentials");
        let letter = world.last_letter_to(EMAIL).await;
        let confirmed = ada.confirm_code(&verification, &letter.code()).await.expect(200);
        assert_eq!(confirmed.json(), json!({ "status": "verified" }));
        ada.sign_in(EMAIL, PASSWORD).await.expect(200);
        let me = ada.get("/api/v1/me").await.expect(200).json();
        assert_eq!((&me["email"], &me["email_verified"]), (&json!(EMAIL), &json!(true)));
        ada.renew().await.expect(200);
        ada.call(Method::POST, "/api/v1/logout", None).await.expect(204);
        ada.get("/api/v1/me").await.expect_problem(401, "session_revoked");
        ada.renew().await.expect_problem(401, "invalid_token");
        let actions = world.actions().await;
        let expected = ["signup.requested", "session.sign_in", "user.created", "session.sign_in", "session.sign_out"];
        assert_eq!(actions, expected);
    });
}
