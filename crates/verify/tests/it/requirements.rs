//! What a route demands.

use doorward_verify::{AccessToken, Refusal, Requirement};
use serde_json::{Value, json};

use crate::issuer::{ScriptedIssuer, claims};

async fn token_with(more: Value) -> AccessToken {
    let issuer = ScriptedIssuer::new();
    let mut claims = claims();
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    issuer.verifier().verify(&issuer.key.access_token(&claims)).await.unwrap()
}

/// Proves: V10.3.2, S-207
#[tokio::test]
async fn everything_that_is_named_is_required() {
    let token = token_with(json!({
        "scope": "notes:read notes:write", "roles": ["admin", "staff"], "permissions": ["audit:read"], "org_id": "org_1",
    }))
    .await;
    let met = [
        Requirement::token(),
        Requirement::scope("notes:read"),
        Requirement::scope("notes:read").and_scope("notes:write"),
        Requirement::role("admin"),
        Requirement::permission("audit:read"),
        Requirement::organization("org_1"),
        Requirement::scope("notes:read").and_role("staff").and_permission("audit:read").and_organization("org_1"),
    ];
    for requirement in met {
        assert_eq!(requirement.check(&token), Ok(()), "{requirement:?}");
    }
    let unmet = [
        Requirement::scope("notes"),
        Requirement::scope("NOTES:READ"),
        Requirement::scope(""),
        Requirement::scope("notes:read notes:write"),
        Requirement::scope("notes:read").and_scope("notes:delete"),
        Requirement::role("adm"),
        Requirement::role("admin").and_role("root"),
        Requirement::permission("audit:write"),
        Requirement::organization("org_2"),
        Requirement::scope("notes:read").and_organization(""),
    ];
    for requirement in unmet {
        assert!(matches!(requirement.check(&token), Err(Refusal::Insufficient(_))), "{requirement:?}");
    }
}

/// A claim of another type is no role.
#[tokio::test]
async fn a_role_is_one_of_a_list() {
    for roles in [json!("admin"), json!({"x": "admin"}), json!([["admin"]]), json!(null), json!(7), json!([7, true])] {
        let token = token_with(json!({"roles": roles, "org_id": ["org_1"]})).await;
        assert!(!token.has_role("admin"), "{roles}");
        assert_eq!(token.organization(), None);
    }
    assert!(token_with(json!({"roles": {"admin": {}}})).await.has_role("admin"));
}

/// A route's own words never break the header that they are shown in.
#[tokio::test]
async fn a_challenge_names_only_what_a_scope_can_hold() {
    let token = token_with(json!({})).await;
    let requirement = Requirement::scope("a\"b").and_scope("c\r\nd").and_scope("fine:word");
    let Err(refusal) = requirement.check(&token) else { panic!("it is not met") };
    let response = refusal.to_response::<bytes::Bytes>(doorward_verify::Scheme::Bearer);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"fine:word\"");
}
