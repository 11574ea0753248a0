use doorward_model::id::FamilyId;
use doorward_model::rotation::{Epoch, Generation, Salt};
use doorward_store::signing_keys::SigningKeyState;
use doorward_store::{Store, StoreError, meta, secret_keys};

use super::database::on_both;
use super::*;
use crate::keys::KeysError;

async fn open(store: &Store, masters: MasterKeys) -> Result<Keys, KeysError> {
    Keys::open(store.clone(), masters, settings(), at(60), &Seeded::new(9)).await
}

fn refresh_token(keys: &Keys) -> String {
    keys.refresh_mac().token(FamilyId::from_uuid([5; 16]), Generation::FIRST, &Salt::from_bytes([6; 32])).to_string()
}

#[tokio::test]
async fn a_second_start_finds_the_same_keys() {
    on_both(|store| async move {
        let first = node(&store, start(), 1).await;
        let token = issue(&first, start());
        let second = node(&store, at(1), 2).await;
        assert_eq!(first.jwks(at(1)), second.jwks(at(1)));
        assert_eq!(refresh_token(&first), refresh_token(&second));
        assert_eq!(first.subject_lookup(), second.subject_lookup());
        assert_eq!((first.epoch(), second.epoch()), (Epoch::FIRST, Epoch::FIRST));
        assert!(second.verify_access_token(token.text.reveal(), at(1)).is_ok());
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_at_once_agree() {
    on_both(|store| async move {
        let starts: Vec<_> = (0..6)
            .map(|seed| {
                let store = store.clone();
                tokio::spawn(async move { node(&store, start(), seed).await })
            })
            .collect();
        let mut nodes = Vec::new();
        for started in starts {
            nodes.push(started.await.unwrap());
        }
        for node in &nodes {
            assert_eq!(node.jwks(start()), nodes[0].jwks(start()));
            assert_eq!(refresh_token(node), refresh_token(&nodes[0]));
        }
        assert_eq!(rows(&store).await.len(), 1);
    })
    .await;
}

/// Proves: S-21
#[tokio::test]
async fn another_master_key_is_refused_and_changes_nothing() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let error = open(&store, masters(2)).await.map(drop).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, KeysError::WrongMasterKey { .. }), "{message}");
        assert!(message.contains(&masters(1).fingerprint().to_string()), "{message}");
        assert!(message.contains(&masters(2).fingerprint().to_string()), "{message}");
        assert!(!message.contains(&master_text(2)) && !message.contains(&master_text(1)), "{message}");
        let again = open(&store, masters(1)).await.unwrap();
        assert_eq!(refresh_token(&again), refresh_token(&keys));
        assert_eq!(rows(&store).await.len(), 1);
    })
    .await;
}

/// Proves: V11.2.2, V11.1.1
#[tokio::test]
async fn a_new_master_key_seals_everything_again_and_signs_nobody_out() {
    on_both(|store| async move {
        let before = node(&store, start(), 1).await;
        let token = issue(&before, start());
        let mut rotated = masters(2);
        rotated.add_previous(master_text(1).as_bytes()).unwrap();
        open(&store, rotated).await.unwrap();
        // The old key is no longer needed, and no longer enough.
        let after = open(&store, masters(2)).await.unwrap();
        assert_eq!(refresh_token(&after), refresh_token(&before));
        assert!(after.verify_access_token(token.text.reveal(), at(60)).is_ok());
        assert!(after.verify_access_token(issue(&after, at(60)).text.reveal(), at(60)).is_ok());
        assert!(matches!(open(&store, masters(1)).await, Err(KeysError::WrongMasterKey { .. })));
    })
    .await;
}

/// Proves: S-266
#[tokio::test]
async fn a_raised_epoch_ends_every_refresh_token() {
    on_both(|store| async move {
        let before = node(&store, start(), 1).await;
        store
            .write::<_, StoreError, _>(|tx| meta::update(tx, "epoch", &1u64.to_be_bytes(), &2u64.to_be_bytes()))
            .await
            .unwrap();
        let after = node(&store, at(1), 2).await;
        assert_eq!(after.epoch(), Epoch::from_number(2));
        let token = doorward_model::rotation::PresentedToken::parse(&refresh_token(&before)).unwrap();
        assert!(before.refresh_mac().verifies(&token, &Salt::from_bytes([6; 32])));
        assert!(!after.refresh_mac().verifies(&token, &Salt::from_bytes([6; 32])));
    })
    .await;
}

/// Proves: V11.3.3, S-17, S-19
#[tokio::test]
async fn no_key_lies_in_the_database_in_plain_or_opens_in_anothers_row() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let secrets = store.read::<_, StoreError, _>(secret_keys::list).await.unwrap();
        assert!(secrets.len() >= 3);
        for secret in &secrets {
            assert!(!secret.sealed.windows(8).any(|window| keys.subject_lookup().starts_with(window)));
        }
        let (first, second) = (secrets[0].clone(), secrets[1].clone());
        store
            .write::<_, StoreError, _>(move |tx| secret_keys::update_sealed(tx, &first, &second.sealed))
            .await
            .unwrap();
        assert!(matches!(open(&store, masters(1)).await, Err(KeysError::Unusable("a secret key does not open"))));
    })
    .await;
}

#[tokio::test]
async fn the_first_key_signs_at_once() {
    on_both(|store| async move {
        let keys = node(&store, start(), 1).await;
        let states: Vec<_> = rows(&store).await.iter().map(|row| (row.state, row.active_at)).collect();
        assert_eq!(states, [(SigningKeyState::Active, start())]);
        assert!(keys.verify_access_token(issue(&keys, start()).text.reveal(), start()).is_ok());
    })
    .await;
}

#[tokio::test]
async fn what_a_start_does_to_the_keys_is_recorded_once() {
    on_both(|store| async move {
        let recorded = async || {
            let events = store.read(|tx| doorward_store::events::list(tx, "", 100)).await.unwrap();
            events.into_iter().map(|event| (event.actor, event.action, event.data)).collect::<Vec<_>>()
        };
        let first = node(&store, start(), 1).await;
        let key = first.active_key().unwrap();
        node(&store, at(1), 2).await;
        let made = ("job:start".to_owned(), "keys.rotated".to_owned());
        let told = format!(r#"{{"keys":[{{"algorithm":"ES256","id":"{key}","state":"active"}}]}}"#);
        assert_eq!(recorded().await, [(made.0.clone(), made.1, told.clone())]);
        for _ in 0..2 {
            let mut rotated = masters(2);
            rotated.add_previous(master_text(1).as_bytes()).unwrap();
            open(&store, rotated).await.unwrap();
        }
        let actions: Vec<String> = recorded().await.into_iter().map(|(_, action, _)| action).collect();
        assert_eq!(actions, ["keys.rotated", "keys.master_key_changed"]);
    })
    .await;
}
