use std::collections::BTreeSet;

use doorward_model::id::SigningKeyId;
use doorward_store::signing_keys::SigningKeyState::{self, Active, Gone, Published, Retired};

use super::database::on_both;
use super::*;
use crate::keys::access_tokens::InvalidAccessToken;
use crate::keys::ring::PRIVATE_KEY;
use crate::keys::{JWKS_MAX_AGE_SECONDS, KeysError, RELOAD_MARGIN_MS, signature};

const PUBLISH_SECONDS: i64 = JWKS_MAX_AGE_SECONDS + RELOAD_MARGIN_MS / SECOND_MS;
const NINETY_DAYS_SECONDS: i64 = 90 * DAY_MS / SECOND_MS;
/// A token's life and the margin for nodes that notice late.
const RETIRED_SECONDS: i64 = 600 + RELOAD_MARGIN_MS / SECOND_MS;

fn states(changes: &[KeyChange]) -> Vec<SigningKeyState> {
    changes.iter().map(|change| change.state).collect()
}

/// The ids of the published keys, in no order that matters.
fn kids(keys: &Keys, now: Timestamp) -> BTreeSet<String> {
    keys.jwks(now).keys.into_iter().map(|key| key.kid).collect()
}

fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// Proves, V11.1.1
#[tokio::test]
async fn a_rotated_key_is_known_before_it_signs_and_until_what_it_signed_expired() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let old = keys.active_key().unwrap().to_string();
        let first = change(&keys, start(), RotationPlan::rotate).await;
        assert_eq!(states(&first), [Published]);
        let new = first[0].id.to_string();
        assert_eq!(kids(&keys, start()), BTreeSet::from([old.clone(), new.clone()]));
        assert_eq!(change(&keys, at(1), RotationPlan::rotate).await, []);

        let just_before = at(PUBLISH_SECONDS - 1);
        assert!(!keys.is_rotation_due(just_before));
        assert_eq!(change(&keys, just_before, RotationPlan::advance).await, []);
        let last = issue(&keys, just_before);
        assert_eq!(kid_of(last.text.reveal()), old);

        let switched = at(PUBLISH_SECONDS);
        assert!(keys.is_rotation_due(switched));
        assert_eq!(states(&change(&keys, switched, RotationPlan::advance).await), [Retired, Active]);
        assert_eq!(kid_of(issue(&keys, switched).text.reveal()), new);

        // During its last token's life the old key still counts.
        assert!(keys.verify_access_token(last.text.reveal(), last.expires_at.plus_ms(-1)).is_ok());
        let almost = at(PUBLISH_SECONDS + RETIRED_SECONDS - 1);
        assert_eq!(kids(&keys, almost), BTreeSet::from([old.clone(), new.clone()]));
        assert_eq!(change(&keys, almost, RotationPlan::advance).await, []);
        let over = at(PUBLISH_SECONDS + RETIRED_SECONDS);
        assert_eq!(kids(&keys, over), BTreeSet::from([new.clone()]), "the clock alone ends it");
        assert!(keys.is_rotation_due(over));
        assert_eq!(states(&change(&keys, over, RotationPlan::advance).await), [Gone]);
        assert_eq!(kids(&keys, over), BTreeSet::from([new]));
        assert!(!keys.is_rotation_due(over));
    })
    .await;
}

#[tokio::test]
async fn a_key_signs_for_ninety_days_and_its_successor_is_published_in_time() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let publish = at(NINETY_DAYS_SECONDS - PUBLISH_SECONDS);
        assert!(!keys.is_rotation_due(publish.plus_ms(-1)));
        assert_eq!(change(&keys, publish.plus_ms(-1), RotationPlan::advance).await, []);
        assert!(keys.is_rotation_due(publish));
        assert_eq!(states(&change(&keys, publish, RotationPlan::advance).await), [Published]);
        assert!(!keys.is_rotation_due(at(NINETY_DAYS_SECONDS).plus_ms(-1)));
        assert_eq!(states(&change(&keys, at(NINETY_DAYS_SECONDS), RotationPlan::advance).await), [Retired, Active]);
    })
    .await;
}

/// Proves: A-183
#[tokio::test]
async fn nodes_that_rotate_at_once_make_one_key() {
    on_both(|store| async move {
        let mut nodes = Vec::new();
        for seed in 0..6 {
            nodes.push(std::sync::Arc::new(node(&store, start(), seed).await));
        }
        for (now, work) in [
            (start(), RotationPlan::rotate as fn(&RotationPlan, &mut Tx<'_>) -> _),
            (at(PUBLISH_SECONDS), RotationPlan::advance),
        ] {
            let running: Vec<_> = nodes
                .iter()
                .map(|node| {
                    let node = std::sync::Arc::clone(node);
                    tokio::spawn(async move { change(&node, now, work).await.len() })
                })
                .collect();
            let mut acted = 0;
            for task in running {
                acted += usize::from(task.await.unwrap() > 0);
            }
            assert_eq!(acted, 1);
        }
        let mut states: Vec<_> = rows(&store).await.iter().map(|row| row.state.as_str()).collect();
        states.sort_unstable();
        assert_eq!(states, ["active", "retired"]);
    })
    .await;
}

/// Proves: A-183
#[tokio::test]
async fn a_token_signed_by_a_node_that_rotated_first_is_valid_on_one_that_has_not_noticed() {
    on_both(|store| async move {
        let (ahead, behind) = (node(&store, start(), 1).await, node(&store, start(), 2).await);
        change(&ahead, start(), RotationPlan::rotate).await;
        behind.reload().await.unwrap();
        let now = at(PUBLISH_SECONDS);
        change(&ahead, now, RotationPlan::advance).await;
        let by_new = issue(&ahead, now);
        let by_old = issue(&behind, now);
        assert_ne!(kid_of(by_new.text.reveal()), kid_of(by_old.text.reveal()));
        assert!(behind.verify_access_token(by_new.text.reveal(), now).is_ok());
        assert!(ahead.verify_access_token(by_old.text.reveal(), now).is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_private_half_is_erased_when_a_key_has_signed_its_last() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        change(&keys, start(), RotationPlan::rotate).await;
        change(&keys, at(PUBLISH_SECONDS), RotationPlan::advance).await;
        for row in rows(&store).await {
            assert_eq!(row.private_key_sealed.is_empty(), row.state == Retired, "{:?}", row.state);
        }
        // A node that starts now verifies with the retired key without having its private half.
        let late = node(&store, at(PUBLISH_SECONDS), 3).await;
        assert_eq!(late.jwks(at(PUBLISH_SECONDS)), keys.jwks(at(PUBLISH_SECONDS)));
    })
    .await;
}

#[tokio::test]
async fn a_key_that_the_master_key_did_not_seal_is_refused_and_the_old_ones_stay() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let known = keys.jwks(start());
        let (private, point) = signature::generate(Algorithm::Es256).unwrap();
        // Somebody who can write the database but has not the master key.
        let foreign = masters(2);
        let id = SigningKeyId::from_uuid([7; 16]);
        let row = SigningKey {
            id,
            algorithm: "ES256".to_owned(),
            state: Published,
            public_key: point,
            private_key_sealed: foreign.seal(PRIVATE_KEY, &id.to_string(), &private, &Seeded::new(3)).unwrap(),
            published_at: start(),
            active_at: start(),
            retired_at: None,
            gone_at: None,
        };
        assert!(store.write::<_, StoreError, _>(move |tx| signing_keys::insert(tx, &row)).await.unwrap());
        let refused = keys.reload().await;
        assert!(matches!(refused, Err(KeysError::Unusable("a private signing key does not open"))), "{refused:?}");
        assert_eq!(keys.jwks(start()), known);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_of_a_known_key_is_expired_and_of_a_gone_key_invalid() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let token = issue(&keys, start());
        let verify = |now| keys.verify_access_token(token.text.reveal(), now).map(drop);
        assert_eq!(verify(at(600)), Err(InvalidAccessToken::Expired));
        change(&keys, start(), RotationPlan::rotate).await;
        change(&keys, at(PUBLISH_SECONDS), RotationPlan::advance).await;
        assert_eq!(verify(at(PUBLISH_SECONDS + RETIRED_SECONDS)), Err(InvalidAccessToken::Invalid));
    })
    .await;
}
