mod once;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::test_keys::TestKey;

const NOW: i64 = 1_700_000_000;
const ADDRESS: &str = "https://api.example/notes";
const TOKEN: &str = "header.payload.signature";

fn header(key: &TestKey) -> Value {
    json!({"alg": key.algorithm.as_str(), "typ": "dpop+jwt", "jwk": key.jwk()})
}

fn claims() -> Value {
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, TOKEN.as_bytes()));
    json!({"jti": "one", "htm": "POST", "htu": ADDRESS, "iat": NOW, "ath": hash})
}

fn thumbprint(key: &TestKey) -> String {
    URL_SAFE_NO_PAD.encode(key.public().thumbprint())
}

fn proof<'a>(text: &'a str, thumbprint: &'a str) -> Proof<'a> {
    Proof { text, method: "POST", uri: ADDRESS, access_token: TOKEN, thumbprint, holder: None }
}

fn read_as(text: &str, change: impl FnOnce(&mut Proof<'_>), thumbprint: &str) -> Result<(), DpopRefusal> {
    let mut proof = proof(text, thumbprint);
    change(&mut proof);
    proof.read(NOW, &ProofSettings::default()).map(|_| ())
}

fn read(key: &TestKey, header: &Value, claims: &Value) -> Result<(), DpopRefusal> {
    read_as(&key.sign_compact(header, claims), |_| {}, &thumbprint(key))
}

fn read_at(key: &TestKey, claims: &Value, now: i64) -> Result<(), DpopRefusal> {
    let text = key.sign_compact(&header(key), claims);
    proof(&text, &thumbprint(key)).read(now, &ProofSettings::default()).map(|_| ())
}

fn changed(mut object: Value, name: &str, value: Option<Value>) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    object
}

#[test]
fn an_honest_proof_holds_with_every_algorithm() {
    for algorithm in ALGORITHMS {
        let key = TestKey::new(algorithm);
        assert_eq!(read(&key, &header(&key), &claims()), Ok(()), "{algorithm}");
    }
}

/// Proves: A-110
#[test]
fn the_example_of_the_standard_holds() {
    // RFC 9449 section 7.1.
    let text = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
        "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm",
        "90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFF",
        "byJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    );
    let proof = Proof {
        text,
        method: "GET",
        uri: "https://resource.example.org/protectedresource",
        access_token: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
        thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        holder: None,
    };
    assert!(proof.read(1_562_262_618, &ProofSettings::default()).is_ok());
}

/// Proves: A-110, V9.1.2, V9.1.3, V9.2.2
#[test]
fn what_is_wrong_with_the_header_is_refused() {
    let (key, other) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let rsa = TestKey::new(Algorithm::Rs256);
    let private = changed(key.jwk(), "d", Some(json!("AAAA")));
    let symmetric = json!({"kty": "oct", "k": "AAAA"});
    let bound_elsewhere = changed(key.jwk(), "alg", Some(json!("ES384")));
    let for_encryption = changed(key.jwk(), "use", Some(json!("enc")));
    for (name, value, expected) in [
        ("typ", None, DpopRefusal::Type),
        ("typ", Some(json!("JWT")), DpopRefusal::Type),
        ("typ", Some(json!("at+jwt")), DpopRefusal::Type),
        ("typ", Some(json!("")), DpopRefusal::Type),
        ("typ", Some(json!(["dpop+jwt"])), DpopRefusal::Type),
        ("alg", None, DpopRefusal::Algorithm),
        ("alg", Some(json!("none")), DpopRefusal::Algorithm),
        ("alg", Some(json!("nOnE")), DpopRefusal::Algorithm),
        ("alg", Some(json!("")), DpopRefusal::Algorithm),
        ("alg", Some(json!(null)), DpopRefusal::Algorithm),
        ("alg", Some(json!("HS256")), DpopRefusal::Algorithm),
        ("alg", Some(json!("RS512")), DpopRefusal::Algorithm),
        ("alg", Some(json!("ES384")), DpopRefusal::Algorithm),
        ("alg", Some(json!("EdDSA")), DpopRefusal::Key),
        ("alg", Some(json!("RS256")), DpopRefusal::Key),
        ("jwk", None, DpopRefusal::Key),
        ("jwk", Some(json!(null)), DpopRefusal::Key),
        ("jwk", Some(json!("{}")), DpopRefusal::Key),
        ("jwk", Some(json!([key.jwk()])), DpopRefusal::Key),
        ("jwk", Some(private), DpopRefusal::Key),
        ("jwk", Some(symmetric), DpopRefusal::Key),
        ("jwk", Some(bound_elsewhere), DpopRefusal::Key),
        ("jwk", Some(for_encryption), DpopRefusal::Key),
        ("jwk", Some(rsa.jwk()), DpopRefusal::Key),
        ("jwk", Some(other.jwk()), DpopRefusal::OtherKey),
        ("jku", Some(json!("https://evil.example/keys")), DpopRefusal::HeaderMember),
        ("x5u", Some(json!("https://evil.example/keys")), DpopRefusal::HeaderMember),
        ("x5c", Some(json!([])), DpopRefusal::HeaderMember),
        ("x5t", Some(json!("AAAA")), DpopRefusal::HeaderMember),
        ("x5t#S256", Some(json!("AAAA")), DpopRefusal::HeaderMember),
        ("crit", Some(json!(["jti"])), DpopRefusal::HeaderMember),
        ("b64", Some(json!(false)), DpopRefusal::HeaderMember),
    ] {
        let header = changed(header(&key), name, value.clone());
        assert_eq!(read(&key, &header, &claims()), Err(expected), "{name}: {value:?}");
    }
    let upper = changed(header(&key), "typ", Some(json!("DPoP+JWT")));
    assert_eq!(read(&key, &upper, &claims()), Ok(()));
}

/// Proves: A-110
#[test]
fn small_rsa_keys_make_no_proof() {
    let key = TestKey::new(Algorithm::Rs256);
    let small = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB"});
    let header = changed(header(&key), "jwk", Some(small));
    assert_eq!(read(&key, &header, &claims()), Err(DpopRefusal::Key));
}

/// Proves: V9.1.2
#[test]
fn a_key_that_names_another_algorithm_makes_no_proof() {
    let key = TestKey::new(Algorithm::Rs256);
    for (name, expected) in [("RS256", Ok(())), ("PS256", Err(DpopRefusal::Key)), ("none", Err(DpopRefusal::Key))] {
        let header = changed(header(&key), "jwk", Some(changed(key.jwk(), "alg", Some(json!(name)))));
        assert_eq!(read(&key, &header, &claims()), expected, "{name}");
    }
}

/// Proves: A-110
#[test]
fn a_proof_by_any_other_key_than_the_token_s_is_refused() {
    let (key, thief) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let by_thief = thief.sign_compact(&header(&thief), &claims());
    assert_eq!(read_as(&by_thief, |_| {}, &thumbprint(&key)), Err(DpopRefusal::OtherKey));
    // The thief shows the right key and signs with its own.
    let disguised = thief.sign_compact(&header(&key), &claims());
    assert_eq!(read_as(&disguised, |_| {}, &thumbprint(&key)), Err(DpopRefusal::Signature));
    for thumbprint in ["", "AAAA", &thumbprint(&key).to_ascii_lowercase(), &format!("{}=", thumbprint(&key))] {
        let own = key.sign_compact(&header(&key), &claims());
        assert_eq!(read_as(&own, |_| {}, thumbprint), Err(DpopRefusal::OtherKey), "{thumbprint}");
    }
}

/// Proves: A-110
#[test]
fn a_proof_for_another_request_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    for (name, value, expected) in [
        ("jti", None, DpopRefusal::Id),
        ("jti", Some(json!("")), DpopRefusal::Id),
        ("jti", Some(json!(1)), DpopRefusal::Id),
        ("jti", Some(json!("x".repeat(257))), DpopRefusal::Id),
        ("htm", None, DpopRefusal::Method),
        ("htm", Some(json!("GET")), DpopRefusal::Method),
        ("htm", Some(json!("post")), DpopRefusal::Method),
        ("htm", Some(json!(["POST"])), DpopRefusal::Method),
        ("htu", None, DpopRefusal::Address),
        ("htu", Some(json!("https://api.example/notes/")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example/Notes")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example/other")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example/")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example/x/../notes")), DpopRefusal::Address),
        ("htu", Some(json!("http://api.example/notes")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example:8443/notes")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example.evil/notes")), DpopRefusal::Address),
        ("htu", Some(json!("https://api.example@evil.example/notes")), DpopRefusal::Address),
        ("htu", Some(json!("/notes")), DpopRefusal::Address),
        ("htu", Some(json!(null)), DpopRefusal::Address),
        ("ath", None, DpopRefusal::AccessToken),
        ("ath", Some(json!("")), DpopRefusal::AccessToken),
        ("ath", Some(json!(null)), DpopRefusal::AccessToken),
        ("ath", Some(json!(TOKEN)), DpopRefusal::AccessToken),
        ("ath", Some(json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, b"another")))), DpopRefusal::AccessToken),
    ] {
        let claims = changed(claims(), name, value.clone());
        assert_eq!(read(&key, &header(&key), &claims), Err(expected), "{name}: {value:?}");
    }
    let honest = key.sign_compact(&header(&key), &claims());
    let thumbprint = thumbprint(&key);
    for (method, uri, access_token, expected) in [
        ("POST", ADDRESS, TOKEN, Ok(())),
        ("DELETE", ADDRESS, TOKEN, Err(DpopRefusal::Method)),
        ("POST", "https://api.example/other", TOKEN, Err(DpopRefusal::Address)),
        ("POST", "/notes", TOKEN, Err(DpopRefusal::Address)),
        ("POST", "", TOKEN, Err(DpopRefusal::Address)),
        ("POST", ADDRESS, "another", Err(DpopRefusal::AccessToken)),
        ("POST", ADDRESS, "", Err(DpopRefusal::AccessToken)),
    ] {
        let proof = Proof { method, uri, access_token, ..proof(&honest, &thumbprint) };
        assert_eq!(proof.read(NOW, &ProofSettings::default()).map(|_| ()), expected, "{method} {uri} {access_token}");
    }
}

/// Proves: A-110
#[test]
fn two_addresses_that_are_none_are_not_the_same() {
    let key = TestKey::new(Algorithm::Es256);
    for address in ["/notes", "", "ftp://api.example/notes"] {
        let claims = changed(claims(), "htu", Some(json!(address)));
        let text = key.sign_compact(&header(&key), &claims);
        let result = read_as(&text, |proof| proof.uri = address, &thumbprint(&key));
        assert_eq!(result, Err(DpopRefusal::Address), "{address}");
    }
}

/// Proves: A-110
#[test]
fn a_proof_has_a_largest_size() {
    let key = TestKey::new(Algorithm::Es256);
    let padded = |length: usize| changed(claims(), "padding", Some(json!("x".repeat(length))));
    assert_eq!(read(&key, &header(&key), &padded(4_000)), Ok(()));
    assert_eq!(read(&key, &header(&key), &padded(8_000)), Err(DpopRefusal::Malformed));
}

/// Proves: A-110
#[test]
fn query_fragment_case_and_default_port_do_not_count() {
    let key = TestKey::new(Algorithm::Es256);
    for htu in ["https://api.example/notes?a=b", "https://api.example/notes#f", "HTTPS://API.example:443/n%6ftes"] {
        let claims = changed(claims(), "htu", Some(json!(htu)));
        assert_eq!(read(&key, &header(&key), &claims), Ok(()), "{htu}");
    }
    let honest = key.sign_compact(&header(&key), &claims());
    let with_query = |proof: &mut Proof<'_>| proof.uri = "https://API.example:443/notes?page=2";
    assert_eq!(read_as(&honest, with_query, &thumbprint(&key)), Ok(()));
}

/// Proves: A-110
#[test]
fn a_proof_is_good_for_five_minutes_and_five_seconds_ahead() {
    let key = TestKey::new(Algorithm::Es256);
    for (now, expected) in [
        (NOW - 6, Err(DpopRefusal::Time)),
        (NOW - 5, Ok(())),
        (NOW + 300, Ok(())),
        (NOW + 301, Err(DpopRefusal::Time)),
        (i64::MAX, Err(DpopRefusal::Time)),
        (i64::MIN, Err(DpopRefusal::Time)),
    ] {
        assert_eq!(read_at(&key, &claims(), now), expected, "{now}");
    }
    for (name, value) in [
        ("iat", None),
        ("iat", Some(json!(null))),
        ("iat", Some(json!(NOW.to_string()))),
        ("iat", Some(json!(1e30))),
        ("iat", Some(json!(u64::MAX))),
        ("iat", Some(json!(i64::MAX))),
        ("iat", Some(json!(i64::MIN))),
        ("iat", Some(json!([NOW]))),
        ("nbf", Some(json!(NOW + 6))),
        ("nbf", Some(json!("soon"))),
        ("exp", Some(json!(NOW))),
        ("exp", Some(json!("never"))),
        ("exp", Some(json!(null))),
    ] {
        let claims = changed(claims(), name, value.clone());
        assert_eq!(read_at(&key, &claims, NOW), Err(DpopRefusal::Time), "{name}: {value:?}");
    }
    let shorter = ProofSettings::default().with_max_age(Duration::from_mins(1)).with_leeway(Duration::ZERO);
    let text = key.sign_compact(&header(&key), &claims());
    let thumbprint = thumbprint(&key);
    let proof = proof(&text, &thumbprint);
    assert_eq!(proof.read(NOW + 60, &shorter).map(|(_, until)| until), Ok(NOW + 60));
    assert!(proof.read(NOW + 61, &shorter).is_err());
    assert!(proof.read(NOW - 1, &shorter).is_err());
}

/// Proves: A-110, V9.1.1
#[test]
fn no_byte_of_a_proof_can_be_changed() {
    let key = TestKey::new(Algorithm::Es256);
    let honest = key.sign_compact(&header(&key), &claims());
    let thumbprint = thumbprint(&key);
    for at in 0..honest.len() {
        let mut bytes = honest.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        assert!(read_as(&text, |_| {}, &thumbprint).is_err(), "byte {at}");
        assert!(read_as(&honest[..at], |_| {}, &thumbprint).is_err(), "up to byte {at}");
    }
    let (unsigned, signature) = honest.rsplit_once('.').unwrap();
    for text in [
        format!("{unsigned}."),
        unsigned.to_owned(),
        format!("{honest}."),
        format!("{honest}.{signature}"),
        format!("{honest}="),
        format!(" {honest}"),
        format!("{honest}, {honest}"),
        format!("{honest}{}", "A".repeat(MAX_PROOF_BYTES)),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(read_as(&text, |_| {}, &thumbprint).is_err(), "{text}");
    }
}

/// Proves: A-110
#[test]
fn a_member_that_stands_twice_is_refused() {
    let key = TestKey::new(Algorithm::Es256);
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let doubled = |object: &Value, member: &str| object.to_string().replacen('{', &format!("{{{member},"), 1);
    for (header, claims) in [
        (doubled(&header(&key), r#""alg":"none""#), claims().to_string()),
        (header(&key).to_string(), doubled(&claims(), r#""htm":"GET""#)),
        (format!("[{}]", header(&key)), claims().to_string()),
        (header(&key).to_string(), format!("{} {{}}", claims())),
    ] {
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let text = format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())));
        assert_eq!(read_as(&text, |_| {}, &thumbprint(&key)), Err(DpopRefusal::Malformed), "{header} {claims}");
    }
}

proptest! {
    #[test]
    fn no_text_is_taken_and_none_makes_the_reader_panic(
        text in "[A-Za-z0-9_.=-]{0,80}",
        header in "[\\[\\]{}\":,a-z]{0,40}",
        jwk in "[\\[\\]{}\":,a-z]{0,40}",
    ) {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let with_key = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{{jwk}}}}}"#);
        for text in [
            text.clone(),
            format!("{}.{}.AAAA", encode(&header), encode("{}")),
            format!("{}.{}.AAAA", encode(&with_key), encode(&claims().to_string())),
        ] {
            let result = read_as(&text, |_| {}, "AAAA");
            prop_assert!(result.is_err());
        }
    }
}
