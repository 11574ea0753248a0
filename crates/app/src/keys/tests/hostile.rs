//! Tokens that must not be accepted, one table for each way of lying.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::database::on_sqlite;
use super::*;
use crate::keys::access_tokens::InvalidAccessToken::{self, Invalid};
use crate::keys::signature::{self, Signer};

/// A node, a good token of it, and its parts.
struct Target {
    keys: Keys,
    token: String,
    header: Value,
    claims: Value,
}

impl Target {
    async fn new(store: &Store) -> Self {
        let keys = node(store, start(), 1).await;
        let token = issue(&keys, start()).text.reveal().to_owned();
        let part = |index| {
            let part: &str = token.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (header, claims) = (part(0), part(1));
        Self { keys, token, header, claims }
    }

    fn verify(&self, token: &str) -> Result<(), InvalidAccessToken> {
        self.keys.verify_access_token(token, at(1)).map(drop)
    }

    /// Signs anything with the real key: only the content is wrong.
    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let ring = self.keys.ring();
        let signature =
            ring.active(Algorithm::Es256).unwrap().material.signer.as_ref().unwrap().sign(input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with_header(&self, changes: Value) -> String {
        self.sign(merged(&self.header, changes).to_string().as_bytes(), self.claims.to_string().as_bytes())
    }

    fn with_claims(&self, changes: Value) -> String {
        self.sign(self.header.to_string().as_bytes(), merged(&self.claims, changes).to_string().as_bytes())
    }

    /// The claims with `name` spelt as `text`, which need not be JSON that a library would write.
    fn with_raw_claim(&self, name: &str, text: &str) -> String {
        let payload = merged(&self.claims, json!({ name: "@" })).to_string().replace("\"@\"", text);
        self.sign(self.header.to_string().as_bytes(), payload.as_bytes())
    }
}

fn merged(base: &Value, changes: Value) -> Value {
    let mut merged = base.clone();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        merged[name] = value;
    }
    merged
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn the_way_these_tests_sign_is_accepted_when_nothing_is_wrong() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        assert_eq!(target.verify(&target.token), Ok(()));
        assert_eq!(target.verify(&target.with_header(json!({}))), Ok(()));
        assert_eq!(target.verify(&target.with_claims(json!({}))), Ok(()));
        let exp = target.claims["exp"].to_string();
        assert_eq!(target.verify(&target.with_raw_claim("exp", &exp)), Ok(()));
    })
    .await;
}

/// Proves: V9.1.1
#[tokio::test]
async fn a_token_with_any_changed_character_is_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        for index in 0..target.token.len() {
            for bit in 0..7 {
                let mut bytes = target.token.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(target.verify(&changed), Err(Invalid), "character {index}, bit {bit}");
            }
        }
        for length in 0..target.token.len() {
            assert_eq!(target.verify(&target.token[..length]), Err(Invalid), "cut at {length}");
        }
    })
    .await;
}

/// Proves: V9.1.2, A-116
#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let (input, signature) = target.token.rsplit_once('.').unwrap();
        assert_eq!(target.verify(&format!("{input}.")), Err(Invalid));
        assert_eq!(target.verify(input), Err(Invalid));
        assert_eq!(target.verify(&format!("{input}.{}", URL_SAFE_NO_PAD.encode([0; 64]))), Err(Invalid));
        for alg in [json!("none"), json!("None"), json!("nOnE"), json!("NONE"), json!(""), json!(null), json!(["none"])]
        {
            let header = merged(&target.header, json!({ "alg": alg }));
            let unsigned = format!("{}.{}", encode(&header), encode(&target.claims));
            for signature in ["", "AA", signature] {
                assert_eq!(target.verify(&format!("{unsigned}.{signature}")), Err(Invalid), "{alg} {signature}");
            }
            // Even a right signature does not help.
            assert_eq!(target.verify(&target.with_header(json!({ "alg": alg }))), Err(Invalid), "{alg}");
        }
        let mut header = target.header.clone();
        header.as_object_mut().unwrap().remove("alg");
        let missing = target.sign(header.to_string().as_bytes(), target.claims.to_string().as_bytes());
        assert_eq!(target.verify(&missing), Err(Invalid));
    })
    .await;
}

/// Proves: V9.1.2, A-117
#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let jwk = target.keys.jwks(start()).keys[0].clone();
        let coordinate = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref().unwrap()).unwrap();
        let point = [vec![4], coordinate(&jwk.x), coordinate(&jwk.y)].concat();
        // SubjectPublicKeyInfo of a P-256 point (RFC 5480).
        let mut der = vec![0x30, 0x59, 0x30, 0x13, 6, 7, 42, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        der.extend([6, 8, 42, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 66, 0]);
        der.extend(&point);
        let body = STANDARD.encode(&der);
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
        let secrets = [
            pem.clone().into_bytes(),
            format!("{pem}\n").into_bytes(),
            der,
            serde_json::to_vec(&jwk).unwrap(),
            serde_json::to_vec(&target.keys.jwks(start())).unwrap(),
            point.clone(),
            point[1..33].to_vec(),
            jwk.x.unwrap().into_bytes(),
            jwk.kid.into_bytes(),
            Vec::new(),
        ];
        for secret in secrets {
            for algorithm in
                [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512]
            {
                let mut header: jsonwebtoken::Header = serde_json::from_value(target.header.clone()).unwrap();
                header.alg = algorithm;
                let key = EncodingKey::from_secret(&secret);
                let token = jsonwebtoken::encode(&header, &target.claims, &key).unwrap();
                assert_eq!(target.verify(&token), Err(Invalid), "{algorithm:?}");
            }
        }
        for alg in ["HS256", "RS256", "PS256", "ES384", "ES512", "EdDSA", "es256", "ES256K"] {
            assert_eq!(target.verify(&target.with_header(json!({ "alg": alg }))), Err(Invalid), "{alg}");
        }
    })
    .await;
}

/// Proves: A-118, V9.1.3
#[tokio::test]
async fn a_key_id_names_a_known_key_or_nothing() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let kid = target.header["kid"].as_str().unwrap().to_owned();
        for other in [
            json!(""),
            json!("../../dev/null"),
            json!("' UNION SELECT 'k"),
            json!("|id"),
            json!("ключ\u{202e}"),
            json!([kid]),
            json!({ "kid": kid }),
            json!(0),
            json!(null),
            json!(kid.to_uppercase()),
            json!(format!("{kid} ")),
            json!(format!("{kid}\0")),
            json!("key_01h455vb4pex5vsknk084sn02q"),
            json!("k".repeat(1_000_000)),
        ] {
            let token = target.with_header(json!({ "kid": other }));
            assert_eq!(target.verify(&token), Err(Invalid), "{:.60}", other.to_string());
        }
    })
    .await;
}

/// Proves: A-119, V9.1.3
#[tokio::test]
async fn a_key_inside_or_linked_from_the_header_is_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let (private, point) = signature::generate(Algorithm::Es256).unwrap();
        let attacker = Signer::parse(Algorithm::Es256, &private, &point).unwrap();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": "attacker",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        for changes in [
            json!({ "jwk": jwk }),
            json!({ "jwk": jwk, "kid": "attacker" }),
            json!({ "jku": "https://attacker.example/jwks.json" }),
            json!({ "x5u": "https://attacker.example/chain.pem" }),
            json!({ "x5c": ["MIIB"] }),
            json!({ "x5t": "AAAA" }),
            json!({ "x5t#S256": "AAAA" }),
            json!({ "crit": ["exp"], "exp": 1 }),
            json!({ "b64": false, "crit": ["b64"] }),
            json!({ "zip": "DEF" }),
        ] {
            assert_eq!(target.verify(&target.with_header(changes.clone())), Err(Invalid), "{changes}");
            let header = merged(&target.header, changes.clone());
            let input = format!("{}.{}", encode(&header), encode(&target.claims));
            let signature = URL_SAFE_NO_PAD.encode(attacker.sign(input.as_bytes()).unwrap());
            assert_eq!(target.verify(&format!("{input}.{signature}")), Err(Invalid), "{changes} by the attacker");
        }
        // The right header with the wrong key.
        let input = format!("{}.{}", encode(&target.header), encode(&target.claims));
        let signature = URL_SAFE_NO_PAD.encode(attacker.sign(input.as_bytes()).unwrap());
        assert_eq!(target.verify(&format!("{input}.{signature}")), Err(Invalid));
    })
    .await;
}

/// Proves: V9.2.2, V9.2.3, A-122, V10.3.1
#[tokio::test]
async fn a_token_of_another_type_issuer_or_audience_is_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        for typ in ["JWT", "id+jwt", "logout+jwt", "dpop+jwt", "AT+JWT", "application/at+jwt", ""] {
            assert_eq!(target.verify(&target.with_header(json!({ "typ": typ }))), Err(Invalid), "{typ}");
        }
        let mut header = target.header.clone();
        header.as_object_mut().unwrap().remove("typ");
        let missing = target.sign(header.to_string().as_bytes(), target.claims.to_string().as_bytes());
        assert_eq!(target.verify(&missing), Err(Invalid));
        for issuer in ["https://id.example/", "https://ID.example", "http://id.example", "https://other.example", ""] {
            assert_eq!(target.verify(&target.with_claims(json!({ "iss": issuer }))), Err(Invalid), "{issuer}");
        }
        for audience in [
            json!(ISSUER),
            json!("https://id.example/api/"),
            json!([AUDIENCE]),
            json!([AUDIENCE, "https://other.example"]),
            json!([]),
            json!(""),
            json!(null),
        ] {
            assert_eq!(target.verify(&target.with_claims(json!({ "aud": audience }))), Err(Invalid), "{audience}");
        }
    })
    .await;
}

/// Proves: V9.2.1, A-122
#[tokio::test]
async fn a_token_outside_its_time_or_with_times_that_are_none_is_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let now = at(1).as_seconds();
        let expired = target.verify(&target.with_claims(json!({ "exp": now })));
        assert_eq!(expired, Err(InvalidAccessToken::Expired));
        for (name, text) in [
            ("iat", (now + 6).to_string()),
            ("iat", (now + 120).to_string()),
            ("nbf", (now + 6).to_string()),
            ("nbf", (now + 300).to_string()),
            ("nbf", "null".to_owned()),
            ("exp", format!("\"{}\"", now + 60)),
            ("exp", format!("[{}]", now + 60)),
            ("exp", format!("{}.0", now + 60)),
            ("exp", "1e30".to_owned()),
            ("exp", "1e999".to_owned()),
            ("exp", "-1".to_owned()),
            ("exp", "null".to_owned()),
            ("exp", "true".to_owned()),
            ("exp", "9223372036854775807".to_owned()),
            ("exp", "18446744073709551616".to_owned()),
            ("iat", "\"0\"".to_owned()),
            ("auth_time", "-5".to_owned()),
        ] {
            assert_eq!(target.verify(&target.with_raw_claim(name, &text)), Err(Invalid), "{name} {text}");
        }
        for name in ["exp", "iat", "sid", "jti", "sub", "aud", "iss", "client_id", "scope"] {
            let mut claims = target.claims.clone();
            claims.as_object_mut().unwrap().remove(name);
            let token = target.sign(target.header.to_string().as_bytes(), claims.to_string().as_bytes());
            assert_eq!(target.verify(&token), Err(Invalid), "without {name}");
        }
        for (name, other) in [
            ("sid", target.claims["sub"].clone()),
            ("jti", target.claims["sid"].clone()),
            ("sub", target.claims["sid"].clone()),
            ("sid", json!("session_01h455vb4pex5vsknk084sn02")),
        ] {
            assert_eq!(target.verify(&target.with_claims(json!({ name: other }))), Err(Invalid), "{name} {other}");
        }
    })
    .await;
}

#[tokio::test]
async fn members_that_come_twice_and_other_spellings_are_refused() {
    on_sqlite(|store| async move {
        let target = Target::new(&store).await;
        let (header, claims) = (target.header.to_string(), target.claims.to_string());
        let twice = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
        for member in ["\"exp\":99999999999", "\"\\u0065xp\":1", "\"sub\":\"user_01h455vb4pex5vsknk084sn02q\""] {
            let token = target.sign(header.as_bytes(), twice(&claims, member).as_bytes());
            assert_eq!(target.verify(&token), Err(Invalid), "{member}");
        }
        for member in ["\"alg\":\"none\"", "\"kid\":\"other\"", "\"typ\":\"JWT\""] {
            let token = target.sign(twice(&header, member).as_bytes(), claims.as_bytes());
            assert_eq!(target.verify(&token), Err(Invalid), "{member}");
        }
        let token = &target.token;
        for other in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.AA"),
            format!("{token}="),
            format!("{token}=="),
            format!(" {token}"),
            format!("{token}\n"),
            token.replacen('.', "=.", 1),
            token.replacen('.', "..", 1),
            format!("Bearer {token}"),
            format!("{token}{}", "A".repeat(9_000)),
        ] {
            assert_eq!(target.verify(&other), Err(Invalid), "{other:.40}");
        }
    })
    .await;
}

#[tokio::test]
async fn other_credentials_are_no_access_tokens() {
    on_sqlite(|store| async move {
        use doorward_model::id::FamilyId;
        use doorward_model::rotation::{Generation, Salt};
        use doorward_model::secret::{PlainToken, TokenKind};
        let target = Target::new(&store).await;
        let salt = Salt::from_bytes([1; 32]);
        let refresh = target.keys.refresh_mac().token(FamilyId::from_uuid([1; 16]), Generation::FIRST, &salt);
        let cookie = PlainToken::new(TokenKind::Session, &Seeded::new(1)).reveal();
        let one_time = PlainToken::new(TokenKind::OneTime, &Seeded::new(1)).reveal();
        for other in ["", refresh.as_str(), cookie.as_str(), one_time.as_str()] {
            assert_eq!(target.verify(other), Err(Invalid));
        }
    })
    .await;
}
