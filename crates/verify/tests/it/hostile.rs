//! Texts that are no tokens, tokens that are nobody's, and tokens that want something else read.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_verify::{Reason, Refusal};
use serde_json::{Value, json};

use crate::issuer::{Key, NOW, ScriptedIssuer, claims, claims_with, encode};

/// What somebody may send in place of a token, with why it is refused.
fn table(issuer: &ScriptedIssuer) -> Vec<(String, String, Reason)> {
    let mut table = Vec::new();
    for (name, text) in shapes(issuer) {
        table.push((name, text, Reason::Malformed));
    }
    table.extend(headers(issuer));
    table.extend(signatures(issuer));
    table.extend(payloads(issuer));
    table
}

/// Not three parts of base64url (RFC 7515 section 7.1).
fn shapes(issuer: &ScriptedIssuer) -> Vec<(String, String)> {
    let good = issuer.key.access_token(&claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let texts = [
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("dots", "..".to_owned()),
        ("many dots", ".".repeat(1_000)),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as a JWE has", format!("{good}.{payload}.{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("padding", format!("{good}=")),
        ("padding of the header", format!("{header}=.{payload}.{signature}")),
        ("a space before", format!(" {good}")),
        ("a space after", format!("{good} ")),
        ("a line's end", format!("{good}\n")),
        ("a zero byte", format!("{good}\0")),
        ("the other alphabet", format!("{header}.{payload}.{}+/", &signature[..signature.len() - 2])),
        ("a percent escape", good.replace('.', "%2E")),
        ("commas", good.replace('.', ",")),
        ("letters beyond ASCII", format!("{header}.{payload}.é")),
        ("a dot that is none", good.replace('.', "․")),
        ("the header as JSON", format!("{{\"alg\":\"ES256\"}}.{payload}.{signature}")),
        ("too long", format!("{header}.{}.{signature}", "A".repeat(20_000))),
        ("much too long", "A.".repeat(1_000_000)),
        ("spare bits", format!("{header}.{payload}.{}", spare_bits(signature))),
        (
            "JSON serialization",
            json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}).to_string(),
        ),
    ];
    texts.map(|(name, text)| (name.to_owned(), text)).into()
}

/// The same bytes in another spelling: 64 bytes leave four bits of the last letter unused.
fn spare_bits(signature: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = signature.split_at(signature.len() - 1);
    let place = alphabet.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap();
    format!("{rest}{}", char::from(alphabet[place + 1]))
}

/// Headers that are none, and headers that want something (A-116, A-118, A-119).
fn headers(issuer: &ScriptedIssuer) -> Vec<(String, String, Reason)> {
    let payload = claims().to_string();
    let sign = |header: &str| issuer.key.sign_parts(header, &payload);
    let mut rows = Vec::new();
    let texts = [
        "",
        "{",
        "[]",
        "null",
        "1",
        "\"ES256\"",
        "{}",
        "[\"ES256\",\"first\",\"at+jwt\"]",
        r#"{"alg":null,"kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":["ES256"],"kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":256,"kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","alg":"ES256","kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":"none","alg":"ES256","kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":["first"],"typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":1,"typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":{"a":1},"typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"other","kid":"first","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"first","typ":["at+jwt"]}"#,
        r#"{"alg":"ES256","kid":"first","typ":"JWT","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"first","typ":"at+jwt"} x"#,
        "\u{feff}{\"alg\":\"ES256\",\"kid\":\"first\",\"typ\":\"at+jwt\"}",
    ];
    rows.extend(texts.map(|text| (format!("header {text}"), sign(text), Reason::Malformed)));
    let long = json!({"alg": "ES256", "kid": "k".repeat(257), "typ": "at+jwt"}).to_string();
    rows.push(("a long kid".to_owned(), sign(&long), Reason::Malformed));
    rows.extend(header_members(issuer));
    rows
}

/// Headers whose members want something.
fn header_members(issuer: &ScriptedIssuer) -> Vec<(String, String, Reason)> {
    let payload = claims().to_string();
    let sign = |header: &str| issuer.key.sign_parts(header, &payload);
    let mut rows = Vec::new();
    let algorithms = [
        "none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "es256", "ES256 ", "ES256K", "dir", "RSA-OAEP",
        "A128KW",
    ];
    for algorithm in algorithms {
        let header = json!({"alg": algorithm, "kid": "first", "typ": "at+jwt"}).to_string();
        rows.push((format!("alg {algorithm}"), sign(&header), Reason::Algorithm));
        let unsigned = format!("{}.{}.", encode(&header), encode(&payload));
        rows.push((format!("alg {algorithm}, unsigned"), unsigned, Reason::Algorithm));
    }
    let members = [
        ("jku", json!("https://evil.example/keys")),
        ("jwk", Key::p256("evil").jwk()),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", Value::Null),
        ("jku", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
    ];
    for (name, value) in members {
        let mut header = json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"});
        header[name] = value;
        rows.push((format!("{name} in the header"), sign(&header.to_string()), Reason::HeaderMember));
    }
    let kids = [
        "",
        "../../dev/null",
        "' UNION SELECT 'first",
        "|id",
        "first\0",
        "FIRST",
        "fırst",
        "first ",
        "https://evil.example",
    ];
    for kid in kids {
        let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}).to_string();
        rows.push((format!("kid {kid:?}"), sign(&header), Reason::UnknownKey));
    }
    rows
}

/// Signatures of somebody else, or of nobody (A-117).
fn signatures(issuer: &ScriptedIssuer) -> Vec<(String, String, Reason)> {
    let good = issuer.key.access_token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut rows = vec![
        ("no signature".to_owned(), format!("{signed}."), Reason::Signature),
        ("a short signature".to_owned(), format!("{signed}.AAAA"), Reason::Signature),
        ("zeros".to_owned(), format!("{signed}.{}", encode([0; 64])), Reason::Signature),
        ("ones".to_owned(), format!("{signed}.{}", encode([255; 64])), Reason::Signature),
        (
            "half of it".to_owned(),
            format!("{signed}.{}", encode(&URL_SAFE_NO_PAD.decode(signature).unwrap()[..32])),
            Reason::Signature,
        ),
        ("twice".to_owned(), format!("{signed}.{}", encode([7; 128])), Reason::Signature),
    ];
    // The order of the group and zero are no numbers of a signature (CVE-2022-21449).
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    rows.push((
        "r and s of the order".to_owned(),
        format!("{signed}.{}", encode([order, order].concat())),
        Reason::Signature,
    ));
    let stranger = Key::p256("first");
    rows.push(("another key of the same id".to_owned(), stranger.access_token(&claims()), Reason::Signature));
    let other = Key::ed25519("first").access_token(&claims());
    rows.push(("another algorithm, with the id of our key".to_owned(), other, Reason::UnknownKey));
    // The public key as the secret of an HMAC, in every spelling; HMACs are not taken at all.
    let jwk = issuer.key.jwk();
    for secret in [jwk.to_string(), jwk["x"].as_str().unwrap().to_owned(), "secret".to_owned(), String::new()] {
        let header = json!({"alg": "HS256", "kid": "first", "typ": "at+jwt"}).to_string();
        let signed = format!("{}.{}", encode(header), encode(claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
        rows.push((format!("HMAC with {secret:?}"), format!("{signed}.{}", encode(tag)), Reason::Algorithm));
    }
    rows
}

/// Payloads that are none, or whose claims are of another type (A-122).
fn payloads(issuer: &ScriptedIssuer) -> Vec<(String, String, Reason)> {
    let header = r#"{"alg":"ES256","kid":"first","typ":"at+jwt"}"#;
    let mut rows = Vec::new();
    for text in ["", "{", "[]", "null", "1", "{\"iss\":1}", "\u{0}", "{\"exp\":1,}", "{'exp':1}"] {
        rows.push((format!("payload {text:?}"), issuer.key.sign_parts(header, text), Reason::Malformed));
    }
    rows.push(("an empty payload".to_owned(), issuer.key.sign_parts(header, "{}"), Reason::Issuer));
    let good = claims().to_string();
    let inner = &good[1..good.len() - 1];
    for twice in [r#""exp":1"#, r#""aud":"x""#, r#""sub":"root""#, r#""scope":"admin""#, r#""iss":"x""#] {
        let text = format!("{{{inner},{twice}}}");
        rows.push((format!("{twice} a second time"), issuer.key.sign_parts(header, &text), Reason::Malformed));
    }
    let text = format!(r#"{{{inner},"role":"user","role":"admin"}}"#);
    rows.push(("an unknown claim twice".to_owned(), issuer.key.sign_parts(header, &text), Reason::Malformed));
    let long = issuer.key.access_token(&claims_with("x", json!("x".repeat(13_000))));
    rows.push(("a long token that is signed".to_owned(), long, Reason::Malformed));
    let deep = format!(r#"{{{inner},"x":{}1{}}}"#, "[".repeat(3_000), "]".repeat(3_000));
    rows.push(("a deep payload".to_owned(), issuer.key.sign_parts(header, &deep), Reason::Malformed));
    let values = [
        ("exp", json!("1900000000")),
        ("exp", json!([1_900_000_000])),
        ("exp", json!(1e30)),
        ("exp", json!(-1)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(true)),
        ("exp", json!({})),
        ("nbf", json!("0")),
        ("iat", json!(-5)),
        ("iat", json!([])),
        ("aud", json!(5)),
        ("aud", json!([5])),
        ("aud", json!({"a": 1})),
        ("aud", json!(vec!["x"; 101])),
        ("sub", json!(5)),
        ("sub", json!(["x"])),
        ("sid", json!({})),
        ("jti", json!(1)),
        ("client_id", json!(["a"])),
        ("scope", json!({"a": 1})),
        ("scope", json!([["a"]])),
        ("amr", json!(1)),
        ("acr", json!([])),
        ("iss", json!(["https://auth.example.com"])),
    ];
    for (name, value) in values {
        let claims = claims_with(name, value.clone());
        rows.push((format!("{name}: {value}"), issuer.key.access_token(&claims), Reason::Malformed));
    }
    for text in ["1e999", "NaN", "Infinity", "0x10"] {
        let text = good.replace(&(NOW + 290).to_string(), text);
        rows.push((format!("exp in {text}"), issuer.key.sign_parts(header, &text), Reason::Malformed));
    }
    rows
}

/// Proves: V9.1.2, V9.1.3, V9.2.1, A-116, A-117, A-118, A-119, A-122
#[tokio::test]
async fn whatever_is_no_token_of_ours_is_refused_for_its_reason() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    // So that the keys are known.
    verifier.verify(&issuer.key.access_token(&claims())).await.unwrap();
    let table = table(&issuer);
    assert!(table.len() >= 100, "{} rows", table.len());
    for (name, text, reason) in table {
        let refusal = verifier.verify(&text).await.err();
        assert_eq!(refusal, Some(Refusal::Token(reason)), "{name}");
        // And so it is the second time.
        let again = verifier.verify(&text).await.err();
        assert_eq!(again, Some(Refusal::Token(reason)), "{name}, again");
    }
    // No text of a token made anybody ask anybody else: discovery, the keys, and once more for the unknown ones.
    assert_eq!((issuer.count("/.well-known/openid-configuration"), issuer.count("/keys")), (1, 2));
    let others = |path: &str| !["/.well-known/openid-configuration", "/keys"].contains(&path);
    assert!(!issuer.paths().iter().any(|path| others(path)));
}

/// Proves: V9.1.1
#[tokio::test]
async fn no_letter_of_a_token_can_be_another() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let good = issuer.key.access_token(&claims());
    verifier.verify(&good).await.unwrap();
    for place in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(verifier.verify(&changed).await.is_err(), "another letter at {place}");
    }
}

/// Members of the header that only describe the key are not looked at.
/// Proves: V9.1.3
#[tokio::test]
async fn a_thumbprint_of_a_certificate_leads_nowhere() {
    let issuer = ScriptedIssuer::new();
    let header = json!({"alg": "ES256", "kid": "first", "typ": "at+jwt", "x5t": "evil", "x5t#S256": "evil"});
    issuer.verifier().verify(&issuer.key.sign(&header, &claims())).await.unwrap();
}

/// A token of one issuer under the name of another.
/// Proves: A-125
#[tokio::test]
async fn the_keys_of_one_issuer_sign_nothing_for_another() {
    let (ours, theirs) = (ScriptedIssuer::new(), Key::p256("first"));
    let forged = theirs.access_token(&claims());
    assert_eq!(ours.verifier().verify(&forged).await.unwrap_err(), Reason::Signature.into());
    assert_eq!(
        ours.verifier().verify(&theirs.access_token(&claims_with("iss", Value::Null))).await.unwrap_err(),
        Reason::Issuer.into()
    );
}

/// Without a key id every key that fits is a candidate; an issuer of many makes nobody check them all.
#[tokio::test]
async fn a_token_without_a_key_id_is_tried_with_a_few_keys() {
    let issuer = ScriptedIssuer::new();
    let keys: Vec<Key> = (0..20).map(|number| Key::p256(&format!("k{number}"))).collect();
    issuer.publish(&keys.iter().collect::<Vec<_>>());
    let verifier = issuer.verifier();
    let without = |key: &Key| key.sign(&json!({"alg": "ES256", "typ": "at+jwt"}), &claims());
    verifier.verify(&without(&keys[7])).await.unwrap();
    assert_eq!(verifier.verify(&without(&keys[8])).await.unwrap_err(), Reason::Signature.into());
    verifier.verify(&keys[19].access_token(&claims())).await.unwrap();
}
