use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::test_keys::TestKey;

fn parse(document: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(document.to_string().as_bytes())
}

/// Proves: V9.1.2, A-118
#[test]
fn a_token_is_tried_with_the_keys_it_can_be_signed_with_and_no_others() {
    let (ec, rsa) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Rs256));
    let set = parse(&json!({"keys": [ec.jwk_named("ec"), rsa.jwk_named("rsa"), ec.jwk_named("second")]})).unwrap();
    let ids = |algorithm, kid| set.candidates(algorithm, kid).filter_map(|key| key.kid()).collect::<Vec<_>>();
    assert_eq!(ids(Algorithm::Es256, None), ["ec", "second"]);
    assert_eq!(ids(Algorithm::Es256, Some("second")), ["second"]);
    assert_eq!(ids(Algorithm::Ps256, None), ["rsa"]);
    assert!(ids(Algorithm::Es256, Some("rsa")).is_empty());
    assert!(ids(Algorithm::EdDsa, None).is_empty());
    for kid in ["", "EC", "ec ", "../../dev/null", "' UNION SELECT 'k", "|id", "ec\0"] {
        assert!(ids(Algorithm::Es256, Some(kid)).is_empty(), "{kid}");
    }
}

#[test]
fn two_keys_with_one_id_are_both_tried() {
    let (first, second) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let keys = [first.jwk_named("a"), second.jwk_named("a"), first.jwk_named("a")];
    let set = parse(&json!({ "keys": keys })).unwrap();
    assert_eq!(set.candidates(Algorithm::Es256, Some("a")).count(), 2);
}

/// Proves: S-3
#[test]
fn keys_that_cannot_be_used_are_skipped() {
    let good = TestKey::new(Algorithm::Es256);
    let mut private = TestKey::new(Algorithm::EdDsa).jwk();
    private["d"] = json!("AAAA");
    let mut encryption = TestKey::new(Algorithm::Es384).jwk();
    encryption["use"] = json!("enc");
    let others = [
        private,
        encryption,
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({}),
        json!(null),
        json!("key"),
        json!([good.jwk()]),
    ];
    let keys: Vec<_> = others.iter().cloned().chain([good.jwk_named("good")]).collect();
    let set = parse(&json!({ "keys": keys, "jku": "https://evil.example", "issuer": "x" })).unwrap();
    assert_eq!(set.keys().iter().map(|key| key.kid()).collect::<Vec<_>>(), [Some("good")]);
    assert_eq!(parse(&json!({ "keys": others })), Err(KeySetError::Empty));
    assert_eq!(parse(&json!({"keys": []})), Err(KeySetError::Empty));
}

/// Proves: S-3
#[test]
fn a_set_has_a_largest_size() {
    let key = TestKey::new(Algorithm::Es256);
    let keys = |count: usize| (0..count).map(|at| key.jwk_named(&at.to_string())).collect::<Vec<_>>();
    assert_eq!(parse(&json!({ "keys": keys(64) })).unwrap().keys().len(), 64);
    assert_eq!(parse(&json!({ "keys": keys(65) })), Err(KeySetError::TooLarge));
    assert_eq!(parse(&json!({ "keys": vec![json!(null); 65] })), Err(KeySetError::TooLarge));
    let document = json!({ "keys": keys(1) }).to_string();
    let padded = |length: usize| format!("{document}{}", " ".repeat(length - document.len()));
    assert!(KeySet::parse(padded(KeySet::MAX_BYTES).as_bytes()).is_ok());
    assert_eq!(KeySet::parse(padded(KeySet::MAX_BYTES + 1).as_bytes()), Err(KeySetError::TooLarge));
}

#[test]
fn what_is_no_set_is_refused() {
    let jwk = TestKey::new(Algorithm::Es256).jwk_named("a").to_string();
    for text in [
        "",
        "null",
        "[]",
        "{}",
        &jwk,
        &format!("[{jwk}]"),
        &format!(r#"{{"keys": {jwk}}}"#),
        &format!(r#"{{"Keys": [{jwk}]}}"#),
        &format!(r#"{{"keys": [{jwk}], "keys": [{jwk}]}}"#),
        &format!(r#"{{"keys": [{}]}}"#, jwk.replacen("\"kid\"", "\"kid\": \"b\", \"kid\"", 1)),
        &format!(r#"{{"keys": [{jwk}]}} trailing"#),
        &format!(r#"{{"keys": [{jwk}, {}{}]}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        "<html></html>",
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(KeySetError::Malformed), "{text:.80}");
    }
    assert_eq!(KeySet::parse(&[0xff, 0xfe]), Err(KeySetError::Malformed));
}

/// Proves: A-118
#[test]
fn the_issuer_is_asked_again_only_for_what_it_could_have() {
    let (first, second) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let set = parse(&json!({"keys": [first.jwk_named("a"), second.jwk()]})).unwrap();
    assert!(!set.may_lack(Algorithm::Es256, Some("a")));
    assert!(!set.may_lack(Algorithm::Es256, None));
    assert!(set.may_lack(Algorithm::Es256, Some("b")));
    assert!(set.may_lack(Algorithm::Rs256, None));
    // A known key with another algorithm, and what is no id at all.
    assert!(!set.may_lack(Algorithm::Rs256, Some("a")));
    assert!(!set.may_lack(Algorithm::Es256, Some("")));
    assert!(!set.may_lack(Algorithm::Es256, Some(&"k".repeat(257))));
}

#[test]
fn the_order_of_keys_makes_no_other_set() {
    let (a, b) = (TestKey::new(Algorithm::Es256).jwk_named("a"), TestKey::new(Algorithm::Es256).jwk_named("b"));
    let set = |keys: &[&Value]| parse(&json!({ "keys": keys })).unwrap();
    assert!(set(&[&a, &b]).has_same_keys(&set(&[&b, &a])));
    assert!(!set(&[&a, &b]).has_same_keys(&set(&[&a])));
    assert!(!set(&[&a]).has_same_keys(&set(&[&a, &b])));
    assert!(!set(&[&a]).has_same_keys(&set(&[&b])));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,64}", bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(KeySet::parse(text.as_bytes()).is_err());
        prop_assert!(KeySet::parse(&bytes).is_err());
        let list = format!(r#"{{"keys":[{text}]}}"#);
        prop_assert!(KeySet::parse(list.as_bytes()).is_err());
    }
}
