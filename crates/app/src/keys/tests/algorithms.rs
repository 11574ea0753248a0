//! A deployment with all its algorithms.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::token::TOKEN_TYPE;
use doorward_oidc::id_token;
use doorward_store::signing_keys::SigningKeyState::{self, Active, Gone, Published, Retired};
use serde_json::{Value, json};

use super::database::{on_both, on_sqlite};
use super::*;

const ALL: [Algorithm; 3] = Algorithm::SIGNING;

async fn full(store: &Store, now: Timestamp, masters: MasterKeys, seed: u64) -> Keys {
    let settings = KeySettings::new(ISSUER, AUDIENCE);
    Keys::open(store.clone(), masters, settings, now, &Seeded::new(seed)).await.unwrap()
}

/// What the running server does every few seconds.
async fn keep(keys: &Keys, now: Timestamp, seed: u64) -> Vec<KeyChange> {
    let plan = keys.plan_rotation(now, &Seeded::new(seed), &keys.wanted_keys(now)).unwrap();
    let changes = keys.store.write::<_, StoreError, _>(move |tx| plan.advance(tx)).await.unwrap();
    keys.reload().await.unwrap();
    changes
}

async fn states(store: &Store) -> BTreeMap<String, Vec<&'static str>> {
    let mut found: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for row in rows(store).await {
        found.entry(row.algorithm).or_default().push(row.state.as_str());
    }
    for states in found.values_mut() {
        states.sort_unstable();
    }
    found
}

fn each(states: &[&'static str]) -> BTreeMap<String, Vec<&'static str>> {
    ALL.iter().map(|algorithm| (algorithm.as_str().to_owned(), states.to_vec())).collect()
}

fn id_token(keys: &Keys, algorithm: Algorithm) -> String {
    keys.sign_claims_with(algorithm, id_token::TOKEN_TYPE, b"{}").unwrap()
}

fn is_read(keys: &Keys, text: &str) -> bool {
    keys.verified_claims(text, id_token::TOKEN_TYPE, &ALL, start()).is_some()
}

/// The first start makes what costs nothing, the running server the rest, and no later start anything.
#[tokio::test]
async fn every_algorithm_has_a_key_after_the_first_start_and_no_later_one_draws_any() {
    on_both(|store| async move {
        let first = full(&store, start(), masters(1), 1).await;
        assert!(first.signs_with(Algorithm::Es256) && first.signs_with(Algorithm::EdDsa));
        assert_eq!(first.wanted_keys(start()), [Algorithm::Rs256]);
        assert!(first.is_rotation_due(start()) && !first.signs_with(Algorithm::Rs256));
        let made = keep(&first, at(1), 2).await;
        assert_eq!(
            made.iter().map(|change| (change.algorithm, change.state)).collect::<Vec<_>>(),
            [(Algorithm::Rs256, Active)]
        );
        assert!(!first.is_rotation_due(at(1)) && first.signs_with(Algorithm::Rs256));
        let second = full(&store, at(2), masters(1), 3).await;
        assert_eq!(second.jwks(at(2)), first.jwks(at(2)));
        assert!(second.wanted_keys(at(2)).is_empty() && keep(&second, at(2), 4).await.is_empty());
        assert_eq!(states(&store).await, each(&["active"]));
    })
    .await;
}

/// Proves: A-183
#[tokio::test]
async fn nodes_that_make_the_rsa_key_at_once_agree_on_one() {
    on_both(|store| async move {
        let mut running = tokio::task::JoinSet::new();
        for seed in 0..3 {
            let store = store.clone();
            running.spawn(async move {
                let node = full(&store, start(), masters(1), seed).await;
                (keep(&node, start(), 100 + seed).await.len(), node)
            });
        }
        let nodes = running.join_all().await;
        assert_eq!(nodes.iter().map(|(made, _)| made).sum::<usize>(), 1);
        for (_, node) in &nodes {
            node.reload().await.unwrap();
            assert_eq!(node.jwks(start()), nodes[0].1.jwks(start()));
        }
        assert_eq!(states(&store).await, each(&["active"]));
    })
    .await;
}

/// Proves: A-124, V11.2.2
#[tokio::test]
async fn keys_of_all_algorithms_rotate_together_and_die_together() {
    on_both(|store| async move {
        let keys = full(&store, start(), masters(1), 1).await;
        keep(&keys, start(), 2).await;
        let old: Vec<String> = ALL.iter().map(|algorithm| id_token(&keys, *algorithm)).collect();
        let of = |changes: &[KeyChange], state: SigningKeyState| {
            let mut of: Vec<_> = changes.iter().filter(|it| it.state == state).map(|it| it.algorithm).collect();
            of.sort_unstable();
            of
        };
        let mut all = ALL.to_vec();
        all.sort_unstable();
        assert_eq!(of(&change(&keys, start(), RotationPlan::rotate).await, Published), all);
        assert!(change(&keys, start(), RotationPlan::rotate).await.is_empty());
        assert_eq!(keys.jwks(start()).keys.len(), 6);
        let signs = at(360);
        let changes = keep(&keys, signs, 3).await;
        assert_eq!((of(&changes, Retired), of(&changes, Active)), (all.clone(), all.clone()));
        assert!(old.iter().all(|text| is_read(&keys, text)));
        let compromised = keys.active_key().unwrap();
        let changes = change(&keys, signs, move |plan, tx| plan.rotate_in_emergency(tx, compromised)).await;
        assert_eq!(of(&changes, Gone).len(), 6, "{changes:?}");
        assert_eq!(of(&changes, Active), all);
        assert!(!old.iter().any(|text| is_read(&keys, text)));
        assert!(ALL.iter().all(|algorithm| is_read(&keys, &id_token(&keys, *algorithm))));
        assert_eq!(states(&store).await, each(&["active", "gone", "gone"]));
    })
    .await;
}

/// Proves: V11.1.1
#[tokio::test]
async fn a_new_master_key_seals_the_keys_of_all_algorithms_again() {
    on_both(|store| async move {
        let before = full(&store, start(), masters(1), 1).await;
        keep(&before, start(), 2).await;
        let text = id_token(&before, Algorithm::Rs256);
        let mut rotated = masters(2);
        rotated.add_previous(master_text(1).as_bytes()).unwrap();
        full(&store, start(), rotated, 3).await;
        let after = full(&store, start(), masters(2), 4).await;
        assert!(is_read(&after, &text));
        assert!(ALL.iter().all(|algorithm| is_read(&before, &id_token(&after, *algorithm))));
    })
    .await;
}

/// A token is what its key says it is, whatever its header says.
///
/// Proves, V9.1.1, V9.1.2
#[tokio::test]
async fn a_key_verifies_its_own_algorithm_and_no_other() {
    on_sqlite(|store| async move {
        let keys = full(&store, start(), masters(1), 1).await;
        keep(&keys, start(), 2).await;
        for algorithm in ALL {
            let good = id_token(&keys, algorithm);
            assert!(is_read(&keys, &good));
            for allowed in ALL {
                let read = keys.verified_claims(&good, id_token::TOKEN_TYPE, &[allowed], start());
                assert_eq!(read.is_some(), allowed == algorithm);
            }
            assert!(keys.verified_claims(&good, TOKEN_TYPE, &ALL, start()).is_none(), "an ID token as access token");
            let (header, rest) = good.split_once('.').unwrap();
            let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
            let kid = |of: Algorithm| keys.ring().active(of).unwrap().material.kid.clone();
            for other in ["RS256", "ES256", "EdDSA", "Ed25519", "PS256", "RS384", "HS256", "none", ""] {
                for of in ALL {
                    let changed = json!({ "alg": other, "kid": kid(of), "typ": "JWT" });
                    // Signed anew by the honest key, so that only the header lies.
                    let input =
                        format!("{}.{}", URL_SAFE_NO_PAD.encode(changed.to_string()), &rest[..rest.find('.').unwrap()]);
                    let ring = keys.ring();
                    let signer = ring.active(algorithm).unwrap().material.signer.as_ref().unwrap();
                    let signature = URL_SAFE_NO_PAD.encode(signer.sign(input.as_bytes()).unwrap());
                    let is_honest = other == algorithm.as_str() && of == algorithm;
                    assert_eq!(
                        is_read(&keys, &format!("{input}.{signature}")),
                        is_honest,
                        "{algorithm:?} as {changed}"
                    );
                    assert_eq!(changed == header, is_honest);
                }
            }
        }
        // Our own tokens have one algorithm, even where another key of ours signs honestly.
        let own = issue(&keys, start());
        let payload = own.text.reveal().split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        for algorithm in ALL {
            let text = keys.sign_claims_with(algorithm, TOKEN_TYPE, &payload).unwrap();
            assert_eq!(keys.verify_access_token(&text, start()).is_ok(), algorithm == Algorithm::Es256);
        }
    })
    .await;
}

/// Proves: A-115
#[tokio::test]
async fn each_kind_of_key_is_published_with_its_public_members() {
    on_sqlite(|store| async move {
        let keys = full(&store, start(), masters(1), 1).await;
        keep(&keys, start(), 2).await;
        let document = serde_json::to_value(keys.jwks(start())).unwrap();
        let mut found = BTreeMap::new();
        for key in document["keys"].as_array().unwrap() {
            let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            found.insert(key["alg"].as_str().unwrap().to_owned(), names.join(" "));
            // Read as anybody reads it, the key verifies what it signed.
            let read = doorward_oidc::jose::PublicKey::from_jwk(key.as_object().unwrap()).unwrap();
            let algorithm = Algorithm::parse(key["alg"].as_str().unwrap()).unwrap();
            let text = id_token(&keys, algorithm);
            let (input, signature) = text.rsplit_once('.').unwrap();
            assert!(read.verifies(algorithm, input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()));
        }
        let expected = [
            ("ES256", "alg crv kid kty use x y"),
            ("EdDSA", "alg crv kid kty use x"),
            ("RS256", "alg e kid kty n use"),
        ];
        assert_eq!(found, expected.map(|(name, members)| (name.to_owned(), members.to_owned())).into());
    })
    .await;
}
