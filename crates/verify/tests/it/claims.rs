//! What an issuer wrote is what a service reads.

use doorward_verify::Reason;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::issuer::{AUDIENCE, NOW, ScriptedIssuer, claims, claims_with};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_i32..1_000).prop_map(|number| json!(f64::from(number) / 4.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names that have a type of their own are filled by `any_claims`.
fn any_rest() -> impl Strategy<Value = Map<String, Value>> {
    // A confirmation is a promise to bring a proof.
    let is_free = |name: &String| claims().get(name).is_none() && !["scp", "nbf", "cnf", "azp"].contains(&&**name);
    prop::collection::btree_map(".{0,8}".prop_filter("free", is_free), any_value(), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

/// Claims in the form that RFC 9068 gives them.
fn any_claims() -> impl Strategy<Value = Value> {
    let texts = ["sub", "client_id", "azp", "sid", "grant_id", "jti", "acr"];
    let texts = texts.map(|name| proptest::option::of(".{0,20}").prop_map(move |text| (name, text)));
    let times = ["iat", "nbf", "auth_time"];
    let times = times.map(|name| proptest::option::of(0..=NOW).prop_map(move |time| (name, time)));
    let lists = (prop::collection::vec(".{0,8}", 1..4), prop::collection::vec("[!#-~]{1,8}", 1..4), ".{0,8}");
    (any_rest(), texts, times, lists).prop_map(|(mut all, texts, times, (amr, scope, other))| {
        all.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
        all.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.into()))));
        all.insert("iss".to_owned(), claims()["iss"].clone());
        all.insert("exp".to_owned(), json!(NOW + 100));
        all.insert("aud".to_owned(), json!([other, AUDIENCE]));
        all.insert("amr".to_owned(), json!(amr));
        all.insert("scope".to_owned(), json!(scope.join(" ")));
        Value::Object(all)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_an_issuer_wrote_comes_back(written in any_claims()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let issuer = ScriptedIssuer::new();
        let text = issuer.key.access_token(&written);
        let verifier = issuer.verifier();
        let token = runtime.block_on(verifier.verify(&text)).unwrap();
        prop_assert_eq!(serde_json::to_value(&token).unwrap(), written.clone());
        prop_assert_eq!(token.claims().deserialize::<Value>().unwrap(), written);
    }
}

/// Other forms of the same are brought into one.
#[tokio::test]
async fn other_spellings_become_those_of_access_tokens() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    for (name, value, read, expected) in [
        ("aud", json!(AUDIENCE), "aud", json!([AUDIENCE])),
        ("scope", json!(["a", "b c"]), "scope", json!("a b c")),
        ("amr", json!("pwd"), "amr", json!(["pwd"])),
        ("iat", json!(1_700_000_000.75), "iat", json!(1_700_000_000)),
    ] {
        let token = verifier.verify(&issuer.key.access_token(&claims_with(name, value))).await.unwrap();
        assert_eq!(serde_json::to_value(&token).unwrap()[read], expected, "{name}");
    }
}

/// At any depth: two readers would believe two different things.
/// Proves: V9.1.1
#[tokio::test]
async fn no_member_is_named_twice_at_any_depth() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let header = json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}).to_string();
    let good = claims_with("x", json!({"roles": ["user"]})).to_string();
    let twice = good.replace(r#""roles":["user"]"#, r#""roles":["user"],"roles":["admin"]"#);
    assert_ne!(good, twice);
    verifier.verify(&issuer.key.sign_parts(&header, &good)).await.unwrap();
    assert_eq!(verifier.verify(&issuer.key.sign_parts(&header, &twice)).await.unwrap_err(), Reason::Malformed.into());
}
