use doorward_model::time::HOUR_MS;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::database::{on_both, on_sqlite};
use super::*;
use crate::keys::access_tokens::{InvalidAccessToken, IssueError};

/// Verifies as a resource server does: another library, only the published document.
fn verify_elsewhere(keys: &Keys, token: &str, now: Timestamp) -> Value {
    let document: JwkSet = serde_json::from_value(serde_json::to_value(keys.jwks(now)).unwrap()).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = DecodingKey::from_jwk(document.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // The tests' clock is not the machine's.
    validation.validate_exp = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}

/// Proves: S-140, S-163
#[tokio::test]
async fn another_library_verifies_a_token_from_the_published_keys() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let token = issue(&keys, start());
        let claims = verify_elsewhere(&keys, token.text.reveal(), start());
        let expected = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": UserId::from_uuid([1; 16]).to_string(),
            "client_id": "doorward",
            "sid": SessionId::from_uuid([2; 16]).to_string(),
            "jti": token.id.to_string(),
            "iat": start().as_seconds(),
            "exp": start().as_seconds() + 600,
            "auth_time": start().as_seconds() - 60,
            "acr": "aal1",
            "amr": ["pwd"],
            "scope": "account",
        });
        assert_eq!(claims, expected);
    })
    .await;
}

/// Proves: A-115
#[tokio::test]
async fn the_published_keys_have_no_private_member() {
    on_sqlite(|store| async move {
        let keys = node(&store, start(), 1).await;
        change(&keys, start(), RotationPlan::rotate).await;
        let document = serde_json::to_value(keys.jwks(start())).unwrap();
        let published = document["keys"].as_array().unwrap();
        assert_eq!(published.len(), 2);
        assert_ne!(published[0]["kid"], published[1]["kid"]);
        for key in published {
            let mut names: Vec<&String> = key.as_object().unwrap().keys().collect();
            names.sort_unstable();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
            assert_eq!((&key["alg"], &key["use"], &key["crv"]), (&json!("ES256"), &json!("sig"), &json!("P-256")));
        }
    })
    .await;
}

/// Proves: S-30
#[tokio::test]
async fn a_token_never_outlives_its_session() {
    on_sqlite(|store| async move {
        let keys = node(&store, start(), 1).await;
        let short = issue_until(&keys, start(), start().plus_ms(90_900));
        assert_eq!((short.expires_at, short.expires_in_seconds), (at(90), 90));
        assert!(keys.verify_access_token(short.text.reveal(), at(89)).is_ok());
        let expired = keys.verify_access_token(short.text.reveal(), at(90)).map(drop);
        assert_eq!(expired, Err(InvalidAccessToken::Expired));
        let long = issue_until(&keys, start(), start().plus_ms(HOUR_MS));
        assert_eq!((long.expires_at, long.expires_in_seconds), (at(600), 600));
        let grant = AccessGrant {
            subject: UserId::from_uuid([1; 16]),
            session_id: SessionId::from_uuid([2; 16]),
            session_expires_at: start().plus_ms(999),
            authenticated_at: start(),
            client_id: "doorward",
            acr: "aal1",
            amr: &[],
            scope: "",
        };
        let refused = keys.issue_access_token(&grant, start(), &Seeded::new(1)).map(drop);
        assert_eq!(refused, Err(IssueError::SessionOver));
    })
    .await;
}

/// Proves: V9.2.1
#[tokio::test]
async fn a_token_seen_before_expires_all_the_same() {
    on_sqlite(|store| async move {
        let keys = node(&store, start(), 1).await;
        let token = issue(&keys, start());
        let first = keys.verify_access_token(token.text.reveal(), at(1)).unwrap();
        let second = keys.verify_access_token(token.text.reveal(), at(2)).unwrap();
        assert!(std::sync::Arc::ptr_eq(&first, &second), "the second answer comes from memory");
        assert!(keys.verify_access_token(token.text.reveal(), at(599)).is_ok());
        let expired = keys.verify_access_token(token.text.reveal(), at(600)).map(drop);
        assert_eq!(expired, Err(InvalidAccessToken::Expired));
        let early = keys.verify_access_token(token.text.reveal(), at(-6)).map(drop);
        assert_eq!(early, Err(InvalidAccessToken::Invalid));
    })
    .await;
}

#[tokio::test]
async fn every_token_has_its_own_id() {
    on_sqlite(|store| async move {
        let keys = node(&store, start(), 1).await;
        let ids: std::collections::HashSet<_> = (0..100).map(|second| issue(&keys, at(second)).id).collect();
        assert_eq!(ids.len(), 100);
    })
    .await;
}
