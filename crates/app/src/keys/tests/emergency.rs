use std::sync::Arc;

use doorward_model::token::TOKEN_TYPE;
use doorward_store::signing_keys::SigningKeyState;

use super::database::on_both;
use super::*;
use crate::keys::OWN_ALGORITHM;
use crate::keys::access_tokens::InvalidAccessToken;

/// Proves: A-124
#[tokio::test]
async fn an_emergency_kills_every_key_and_all_they_signed_at_once() {
    on_both(|store| async move {
        let (keys, other) = (node(&store, start(), 1).await, node(&store, start(), 2).await);
        change(&keys, start(), RotationPlan::rotate).await;
        let token = issue(&keys, at(1));
        // Seen before, so that the answer comes from memory.
        for node in [&keys, &other] {
            assert!(node.verify_access_token(token.text.reveal(), at(2)).is_ok());
        }
        let compromised = keys.active_key().unwrap();
        let changes = change(&keys, at(3), move |plan, tx| plan.rotate_in_emergency(tx, compromised)).await;
        assert_eq!(changes.len(), 3);
        assert_eq!(keys.verify_access_token(token.text.reveal(), at(3)).map(drop), Err(InvalidAccessToken::Invalid));
        other.reload().await.unwrap();
        assert_eq!(other.verify_access_token(token.text.reveal(), at(3)).map(drop), Err(InvalidAccessToken::Invalid));
        assert_eq!(keys.jwks(at(3)).keys.len(), 1);
        let fresh = issue(&keys, at(3));
        assert!(other.verify_access_token(fresh.text.reveal(), at(3)).is_ok());
        for row in rows(&store).await {
            assert_eq!(row.private_key_sealed.is_empty(), row.state == SigningKeyState::Gone);
        }
    })
    .await;
}

/// What was remembered of a token counts for that text, and only as long as its key does.
///
/// Proves: A-124
#[tokio::test]
async fn a_token_that_was_verified_before_is_nothing_with_another_signature_or_after_an_emergency() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        change(&keys, start(), RotationPlan::rotate).await;
        let [token, other] = [r#"{"a":1}"#, r#"{"a":2}"#]
            .map(|claims| keys.sign_claims_with(OWN_ALGORITHM, TOKEN_TYPE, claims.as_bytes()).unwrap());
        let is_read = |text: &str, now| keys.verified_claims(text, TOKEN_TYPE, &[OWN_ALGORITHM], now).is_some();
        assert!(is_read(&token, at(1)) && is_read(&other, at(1)));
        assert!(is_read(&token, at(2)));
        let (input, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        assert!(!is_read(&format!("{input}.{signature}"), at(2)));
        let compromised = keys.active_key().unwrap();
        change(&keys, at(3), move |plan, tx| plan.rotate_in_emergency(tx, compromised)).await;
        assert!(!is_read(&token, at(3)) && !is_read(&other, at(3)));
    })
    .await;
}

#[tokio::test]
async fn an_emergency_declared_on_several_nodes_replaces_the_key_once() {
    on_both(|store| async move {
        let mut nodes = Vec::new();
        for seed in 0..6 {
            nodes.push(Arc::new(node(&store, start(), seed).await));
        }
        let compromised = nodes[0].active_key().unwrap();
        let running: Vec<_> = nodes
            .iter()
            .map(|node| {
                let node = Arc::clone(node);
                tokio::spawn(async move {
                    change(&node, at(1), move |plan, tx| plan.rotate_in_emergency(tx, compromised)).await.len()
                })
            })
            .collect();
        let mut acted = 0;
        for task in running {
            acted += usize::from(task.await.unwrap() > 0);
        }
        assert_eq!(acted, 1);
        assert_eq!(rows(&store).await.len(), 2);
        for node in &nodes {
            node.reload().await.unwrap();
            assert_eq!(node.active_key(), nodes[0].active_key());
        }
    })
    .await;
}
