use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::id::{SessionId, TokenId, UserId};
use crate::time::Timestamp;

fn claims() -> AccessClaims {
    AccessClaims {
        issuer: "https://id.example".to_owned(),
        audience: "https://id.example".to_owned(),
        subject: UserId::from_uuid([1; 16]),
        client_id: "doorward".to_owned(),
        session_id: SessionId::from_uuid([2; 16]),
        token_id: TokenId::from_uuid([3; 16]),
        issued_at: Timestamp::from_ms(1_000_000),
        expires_at: Timestamp::from_ms(1_600_000),
        authenticated_at: Timestamp::from_ms(900_000),
        acr: "aal1".to_owned(),
        amr: vec!["pwd".to_owned()],
        scope: "account".to_owned(),
        not_before: None,
    }
}

fn payload() -> Value {
    serde_json::from_slice(&claims().to_json().unwrap()).unwrap()
}

fn parse(payload: &Value) -> Option<AccessClaims> {
    AccessClaims::parse(payload.to_string().as_bytes())
}

#[test]
fn claims_read_back() {
    assert_eq!(parse(&payload()), Some(claims()));
    let delayed = AccessClaims { not_before: Some(Timestamp::from_ms(1_100_000)), ..claims() };
    assert_eq!(AccessClaims::parse(&delayed.to_json().unwrap()), Some(delayed));
}

/// Proves: S-162, S-172, S-206
#[test]
fn a_payload_has_the_claims_of_the_contract_and_no_more() {
    let Value::Object(members) = payload() else { panic!("not an object") };
    let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub"];
    assert_eq!(names, expected);
}

/// Proves: V9.2.1, A-122
#[test]
fn a_claim_that_is_missing_or_of_another_type_is_refused() {
    for name in ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub"] {
        let mut without = payload();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(parse(&without), None, "without {name}");
        for other in [json!(null), json!(true), json!({}), json!([1]), json!([]), json!(1.5)] {
            // An empty list of methods is a list of methods.
            if name == "amr" && other == json!([]) {
                continue;
            }
            let mut changed = payload();
            changed[name] = other.clone();
            assert_eq!(parse(&changed), None, "{name} as {other}");
        }
    }
}

/// Proves: V9.2.1, A-122
#[test]
fn times_are_whole_seconds_since_1970() {
    let with = |name: &str, text: &str| {
        let mut changed = payload();
        changed[name] = json!("@");
        AccessClaims::parse(changed.to_string().replace("\"@\"", text).as_bytes())
    };
    for name in ["exp", "iat", "auth_time", "nbf"] {
        assert!(with(name, "1600").is_some(), "{name}");
        for text in ["\"1600\"", "[1600]", "1e30", "1e3", "1600.0", "-1", "null", "9223372036854775807", "1e999"] {
            assert_eq!(with(name, text), None, "{name}: {text}");
        }
    }
}

/// Proves: A-122
#[test]
fn a_repeated_member_is_refused_at_any_depth() {
    let members = payload().to_string();
    let body = members.trim_start_matches('{').trim_end_matches('}');
    for extra in [
        "\"exp\":1600",
        "\"\\u0065xp\":1600",
        "\"unknown\":1,\"unknown\":1",
        "\"unknown\":{\"a\":1,\"a\":2}",
        "\"unknown\":[{\"a\":1,\"a\":2}]",
    ] {
        assert_eq!(AccessClaims::parse(format!("{{{body},{extra}}}").as_bytes()), None, "{extra}");
    }
    let unknown = format!("{{{body},\"unknown\":[{{\"a\":1}},{{\"a\":2}},null,-1,1.5,true]}}");
    assert_eq!(AccessClaims::parse(unknown.as_bytes()), Some(claims()));
}

#[test]
fn only_one_whole_object_is_read() {
    let members = payload().to_string();
    let values: Vec<Value> = payload().as_object().unwrap().values().cloned().collect();
    for other in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        Value::Array(values).to_string(),
        format!("{members} {{}}"),
        format!(" {members}"),
        format!("\u{feff}{members}"),
        members[..members.len() - 1].to_owned(),
        format!("{{\"deep\":{}", "[".repeat(4_000)),
    ] {
        assert_eq!(AccessClaims::parse(other.as_bytes()), None, "{other:.80}");
    }
}

/// Proves: V9.2.1
#[test]
fn claims_hold_from_issue_to_expiry() {
    let delayed = AccessClaims { not_before: Some(Timestamp::from_ms(1_200_000)), ..claims() };
    for (claims, now_ms, validity) in [
        (claims(), 994_999, Validity::Early),
        (claims(), 995_000, Validity::Valid),
        (claims(), 1_599_999, Validity::Valid),
        (claims(), 1_600_000, Validity::Expired),
        (delayed.clone(), 1_194_999, Validity::Early),
        (delayed, 1_195_000, Validity::Valid),
    ] {
        assert_eq!(claims.validity(Timestamp::from_ms(now_ms)), validity, "{now_ms}");
    }
}

/// Proves: A-119, V9.1.3, V9.2.2
#[test]
fn only_the_header_doorward_writes_is_read() {
    let good = Header { alg: "ES256".to_owned(), kid: "key_1".to_owned(), typ: TOKEN_TYPE.to_owned() };
    let json = json!({"alg": "ES256", "kid": "key_1", "typ": "at+jwt"});
    assert_eq!(Header::parse(json.to_string().as_bytes()), Some(good));
    for typ in ["", "JWT", "jwt", "AT+JWT", "application/at+jwt", "id+jwt", "logout+jwt", "dpop+jwt", "at+jwt "] {
        let mut changed = json.clone();
        changed["typ"] = json!(typ);
        assert_eq!(Header::parse(changed.to_string().as_bytes()), None, "{typ}");
    }
    for (name, value) in [
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/certificate")),
        ("jwk", json!({"kty": "EC"})),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("abc")),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("kid", json!(["key_1"])),
        ("kid", json!(1)),
        ("kid", json!(null)),
        ("alg", json!(null)),
        ("alg", json!(["ES256"])),
        ("typ", json!(["at+jwt"])),
    ] {
        let mut changed = json.clone();
        changed[name] = value.clone();
        assert_eq!(Header::parse(changed.to_string().as_bytes()), None, "{name} {value}");
    }
    for name in ["alg", "kid", "typ"] {
        let mut changed = json.clone();
        changed.as_object_mut().unwrap().remove(name);
        assert_eq!(Header::parse(changed.to_string().as_bytes()), None, "without {name}");
    }
    assert_eq!(Header::parse(br#"["ES256","key_1","at+jwt"]"#), None);
    assert_eq!(Header::parse(br#"{"alg":"none","alg":"ES256","kid":"key_1","typ":"at+jwt"}"#), None);
}

#[test]
fn a_token_has_three_parts_in_one_spelling() {
    let parts = |text: &str| Compact::parse(text).map(|token| (token.header, token.payload, token.signature));
    assert_eq!(parts("YQ.Yg.Yw"), Some((b"a".to_vec(), b"b".to_vec(), b"c".to_vec())));
    for other in [
        "",
        ".",
        "..",
        "...",
        "YQ.Yg",
        "YQ.Yg.",
        ".Yg.Yw",
        "YQ..Yw",
        "YQ.Yg.Yw.",
        ".YQ.Yg.Yw",
        "YQ.Yg.Yw.ZA",
        "YQ.Yg.Yw.ZA.ZQ",
        "YQ==.Yg.Yw",
        "YR.Yg.Yw",
        "YQ.Yh.Yw",
        "YQ.Yg.Yx",
        " YQ.Yg.Yw",
        "YQ.Yg.Yw\n",
        "Y+.Yg.Yw",
        "Y/.Yg.Yw",
        "YQ.Y\u{e9}.Yw",
    ] {
        assert_eq!(parts(other), None, "{other}");
    }
}

#[test]
fn a_token_of_more_than_eight_kibibytes_is_not_read() {
    let text = |payload: usize| format!("YQ.{}.Yw", "A".repeat(payload));
    assert!(Compact::parse(&text(MAX_TOKEN_BYTES - 8)).is_some());
    assert_eq!(text(MAX_TOKEN_BYTES - 6).len(), MAX_TOKEN_BYTES);
    assert!(Compact::parse(&text(MAX_TOKEN_BYTES - 4)).is_none());
}

proptest! {
    #[test]
    fn what_is_read_has_one_spelling(text in "[A-Za-z0-9_=-]{1,9}\\.[A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9}") {
        if let Some(token) = Compact::parse(&text) {
            let parts = [token.header, token.payload, token.signature].map(|part| URL_SAFE_NO_PAD.encode(part));
            prop_assert_eq!(parts.join("."), text);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, text: String) {
        let _ = AccessClaims::parse(&bytes).is_some();
        let _ = Header::parse(&bytes).is_some();
        let _ = Compact::parse(&text).is_some();
    }
}
