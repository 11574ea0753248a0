use std::sync::Arc;

use doorward_store::signing_keys::SigningKeyState;

use super::database::on_both;
use super::*;
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
