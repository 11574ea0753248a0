//! Clients and their secrets, on both databases.

use doorward_model::id::EventId;
use doorward_store::{Store, events};
use serde_json::json;

use super::*;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn shop() -> Map<String, Value> {
    members(json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb"],
        "scope": "openid profile",
        "consent": "skip",
    }))
}

fn with(changes: Value) -> Map<String, Value> {
    let mut all = shop();
    all.extend(members(changes));
    all
}

async fn actions(store: &Store) -> Vec<String> {
    let from = EventId::from_uuid([0; 16]).to_string();
    let rows = store.read(move |tx| events::list(tx, &from, 100)).await.unwrap();
    rows.into_iter().map(|event| event.action).collect()
}

async fn good_secrets(store: &Store, id: &str, now: i64) -> Vec<doorward_model::secret::TokenHash> {
    let id = id.to_owned();
    let rows = store.read(move |tx| clients::list_secrets(tx, &id, at(now))).await.unwrap();
    rows.into_iter().map(|row| row.hash).collect()
}

#[tokio::test]
async fn a_client_is_registered_listed_changed_and_removed_with_one_event_each() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let made = app.create_client(&op(at(1), 1), shop()).await.unwrap();
        let id = made.registered.client.id().to_string();
        assert!(id.starts_with("client_"), "{id}");
        assert_eq!(good_secrets(&store, &id, 1).await, [made.secret.as_ref().unwrap().hash()]);
        let found = app.find_client(&id).await.unwrap().unwrap();
        assert_eq!(found.client, made.registered.client);
        assert_eq!(found.client.metadata().id_token_algorithm.as_str(), "RS256", "the standard's default");
        assert_eq!(app.list_clients("", 10).await.unwrap().len(), 1);
        assert!(app.list_clients(&id, 10).await.unwrap().is_empty());
        let changed =
            app.update_client(&op(at(2), 2), &id, members(json!({"client_name": "Store"}))).await.unwrap().unwrap();
        assert_eq!(changed.client.metadata().name.as_ref().unwrap().as_str(), "Store");
        assert_eq!(changed.client.metadata().scopes, found.client.metadata().scopes, "the rest stays");
        assert_eq!(app.find_client(&id).await.unwrap().unwrap().client, changed.client);
        assert!(app.disable_client(&op(at(3), 6), &id).await.unwrap());
        assert_eq!(app.find_client(&id).await.unwrap().unwrap().disabled_at, Some(at(3)));
        assert!(!app.disable_client(&op(at(4), 7), &id).await.unwrap());
        assert!(app.enable_client(&op(at(4), 8), &id).await.unwrap());
        assert!(!app.enable_client(&op(at(5), 9), &id).await.unwrap());
        assert_eq!(app.find_client(&id).await.unwrap().unwrap().disabled_at, None);
        assert!(app.delete_client(&op(at(6), 3), &id).await.unwrap());
        assert!(!app.delete_client(&op(at(7), 4), &id).await.unwrap());
        assert!(app.find_client(&id).await.unwrap().is_none());
        assert!(app.find_client("../../etc").await.unwrap().is_none());
        assert!(app.update_client(&op(at(5), 5), &id, Map::new()).await.unwrap().is_none());
        let told: Vec<String> = actions(&store).await.into_iter().filter(|it| it.starts_with("client.")).collect();
        assert_eq!(told, ["client.created", "client.changed", "client.disabled", "client.enabled", "client.deleted"]);
    })
    .await;
}

#[tokio::test]
async fn a_rotated_secret_overlaps_with_the_one_before() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        let made = app.create_client(&op(at(1), 1), shop()).await.unwrap();
        let id = made.registered.client.id().to_string();
        let first = made.secret.unwrap().hash();
        let second = app.rotate_client_secret(&op(at(2), 2), &id, 1_000).await.unwrap().unwrap().hash();
        assert_eq!(good_secrets(&store, &id, 1_001).await, [second, first]);
        assert_eq!(good_secrets(&store, &id, 1_002).await, [second]);
        let third = app.rotate_client_secret(&op(at(3), 3), &id, 0).await.unwrap().unwrap().hash();
        assert_eq!(good_secrets(&store, &id, 3).await, [third], "without an overlap the old one ends at once");
        let public = members(json!({"token_endpoint_auth_method": "none"}));
        app.update_client(&op(at(4), 4), &id, public).await.unwrap().unwrap();
        assert!(good_secrets(&store, &id, 4).await.is_empty(), "a public client has no secret");
        let refused = app.rotate_client_secret(&op(at(5), 5), &id, 0).await;
        assert!(matches!(refused, Err(ClientError::Refused(_))));
        assert!(app.rotate_client_secret(&op(at(6), 6), "client_none", 0).await.unwrap().is_none());
    })
    .await;
}

/// Nothing is registered that nobody would enforce.
#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    on_both(|store| async move {
        let app = app(&store, at(0)).await;
        for (changes, field) in [
            (json!({"consent": "maybe"}), "consent"),
            (json!({"id_token_signed_response_alg": "PS256"}), "id_token_signed_response_alg"),
            (json!({"grant_types": ["implicit"]}), "grant_types"),
            (json!({"request_object_signing_alg": "none"}), "request_object_signing_alg"),
            (json!({"require_signed_request_object": true}), "jwks"),
            (json!({"subject_type": "somebody"}), "subject_type"),
            (json!({"sector_identifier_uri": "https://shop.example/sector.json"}), "sector_identifier_uri"),
            (json!({"access_token_seconds": 601}), "access_token_seconds"),
            (json!({"jwks_uri": "https://shop.example/jwks"}), "jwks"),
            (json!({"redirect_uris": ["http://shop.example/cb"]}), "redirect_uris[0]"),
            (json!({"redirect_uri": "https://shop.example/cb"}), "redirect_uri"),
        ] {
            let Err(ClientError::Refused(problems)) = app.create_client(&op(at(1), 1), with(changes)).await else {
                panic!("{field} was registered")
            };
            assert!(problems.iter().any(|problem| problem.field.starts_with(field)), "{field}: {problems:?}");
        }
        assert!(app.list_clients("", 10).await.unwrap().is_empty());
    })
    .await;
}
