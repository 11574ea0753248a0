use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::test_keys::TestKey;

fn read(jwk: &Value) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_jwk(jwk.as_object().unwrap())
}

/// Proves: V9.1.2
#[test]
fn a_key_checks_signatures_of_its_own_algorithms_and_no_others() {
    let message = b"message";
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let key = TestKey::new(algorithm);
        let signature = key.sign(message);
        for other in Algorithm::ALL {
            assert_eq!(key.public().verify(other, message, &signature), other == algorithm, "{algorithm} as {other}");
            assert_eq!(key.public().fits(other), other == algorithm);
        }
    }
}

/// Proves: V9.1.2
#[test]
fn a_signature_with_one_algorithm_of_rsa_is_none_with_another() {
    let message = b"message";
    let key = TestKey::new(Algorithm::Rs256);
    let public = key.public();
    for made in Algorithm::RSA {
        let signature = key.sign_as(made, message);
        for read in Algorithm::ALL {
            assert_eq!(public.verify(read, message, &signature), read == made, "{made} as {read}");
        }
    }
}

/// Proves: V9.1.2
#[test]
fn a_key_that_names_its_algorithm_is_for_no_other() {
    let key = TestKey::new(Algorithm::Rs256);
    let mut jwk = key.jwk();
    jwk["alg"] = json!("PS384");
    let public = read(&jwk).unwrap();
    for algorithm in Algorithm::ALL {
        let is_own = algorithm == Algorithm::Ps384;
        assert_eq!(public.fits(algorithm), is_own, "{algorithm}");
        assert_eq!(public.verify(algorithm, b"m", &key.sign_as(algorithm, b"m")), is_own, "{algorithm}");
    }
}

/// Proves: V9.1.1
#[test]
fn no_other_message_and_no_other_signature_verifies() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let (key, other) = (TestKey::new(algorithm), TestKey::new(algorithm));
        let (public, signature) = (key.public(), key.sign(b"message"));
        assert!(public.verify(algorithm, b"message", &signature));
        assert!(!other.public().verify(algorithm, b"message", &signature));
        assert!(!public.verify(algorithm, b"Message", &signature));
        assert!(!public.verify(algorithm, b"message", b""));
        assert!(!public.verify(algorithm, b"message", &signature[1..]));
        assert!(!public.verify(algorithm, b"message", &[&signature[..], &[0]].concat()));
        assert!(!public.verify(algorithm, b"message", &vec![0; signature.len()]));
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!public.verify(algorithm, b"message", &changed), "{algorithm} byte {at}");
        }
    }
}

/// Proves: A-115
#[test]
fn a_published_private_key_is_refused_whatever_it_is() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let jwk = TestKey::new(algorithm).jwk();
        for member in SECRET_MEMBERS {
            let mut with_secret = jwk.clone();
            with_secret[member] = json!(null);
            assert_eq!(read(&with_secret).err(), Some(KeyError::Secret), "{member}");
        }
    }
    assert_eq!(read(&json!({"kty": "oct", "k": "AAAA"})).err(), Some(KeyError::Secret));
}

/// Proves: V9.1.2, V9.1.3
#[test]
fn what_is_no_signature_key_is_not_taken() {
    let good = TestKey::new(Algorithm::Es256).jwk();
    let (x, y) = (good["x"].as_str().unwrap(), good["y"].as_str().unwrap());
    for (name, value, error) in [
        ("use", json!("enc"), KeyError::Unsupported),
        ("use", json!(["sig"]), KeyError::Malformed),
        ("key_ops", json!(["encrypt"]), KeyError::Unsupported),
        ("key_ops", json!([]), KeyError::Unsupported),
        ("key_ops", json!("verify"), KeyError::Malformed),
        ("kty", json!("oct"), KeyError::Unsupported),
        ("kty", json!("ec"), KeyError::Unsupported),
        ("kty", json!(null), KeyError::Malformed),
        ("kty", json!("OKP"), KeyError::Unsupported),
        ("kty", json!("RSA"), KeyError::Malformed),
        ("crv", json!("secp256k1"), KeyError::Unsupported),
        ("crv", json!("P-521"), KeyError::Unsupported),
        ("crv", json!("P-384"), KeyError::Malformed),
        ("crv", json!("Ed25519"), KeyError::Unsupported),
        ("crv", json!(1), KeyError::Malformed),
        ("alg", json!("none"), KeyError::Unsupported),
        ("alg", json!("HS256"), KeyError::Unsupported),
        ("alg", json!("ES384"), KeyError::Unsupported),
        ("alg", json!("RS256"), KeyError::Unsupported),
        ("alg", json!(""), KeyError::Unsupported),
        ("alg", json!(null), KeyError::Malformed),
        ("kid", json!(""), KeyError::Malformed),
        ("kid", json!("k".repeat(257)), KeyError::Malformed),
        ("kid", json!(["a"]), KeyError::Malformed),
        ("kid", json!(1), KeyError::Malformed),
        ("x", json!(y), KeyError::Malformed),
        ("x", json!(format!("{x}=")), KeyError::Malformed),
        ("x", json!(x[..42]), KeyError::Malformed),
        ("x", json!(format!("AAAA{x}")), KeyError::Malformed),
        ("x", json!(format!("AA{x}")), KeyError::Malformed),
        ("x", json!(""), KeyError::Malformed),
        ("x", json!("+".repeat(43)), KeyError::Malformed),
        ("x", json!(null), KeyError::Malformed),
        ("y", json!("A".repeat(43)), KeyError::Malformed),
    ] {
        let mut changed = good.clone();
        changed[name] = value.clone();
        assert_eq!(read(&changed).err(), Some(error), "{name}: {value}");
    }
    // The point at infinity and one on no curve.
    let zero = "A".repeat(43);
    assert_eq!(read(&json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero})).err(), Some(KeyError::Malformed));
    assert_eq!(read(&json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})).err(), Some(KeyError::Malformed));
}

/// Proves: V9.1.3
#[test]
fn members_that_lead_elsewhere_are_not_read() {
    let mut jwk = TestKey::new(Algorithm::Es256).jwk();
    for name in ["jku", "x5u", "x5c", "x5t", "x5t#S256", "ext", "jwk", "unknown"] {
        jwk[name] = json!("https://evil.example/");
    }
    jwk["use"] = json!("sig");
    jwk["key_ops"] = json!(["verify"]);
    assert!(read(&jwk).is_ok());
}

/// Proves: S-3
#[test]
fn only_rsa_keys_of_a_usual_size_are_taken() {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let modulus = |length: usize, first: u8| {
        let mut bytes = vec![0xff; length];
        bytes[0] = first;
        bytes
    };
    let key = |n: &[u8], e: &[u8]| read(&json!({"kty": "RSA", "n": encode(n), "e": encode(e)})).map(|_| ());
    for (length, first) in [(256, 0x80), (256, 0xff), (384, 0xc0), (512, 0x80), (1_024, 0xff)] {
        assert_eq!(key(&modulus(length, first), &[1, 0, 1]), Ok(()), "{length} {first}");
    }
    for (length, first) in [(1, 0xff), (128, 0xff), (255, 0xff), (256, 0x7f), (1_025, 0x01), (2_048, 0xff)] {
        let refused = key(&modulus(length, first), &[1, 0, 1]);
        assert!(matches!(refused, Err(KeyError::Size | KeyError::Malformed)), "{length} {first}: {refused:?}");
    }
    let good = modulus(256, 0x80);
    for e in [&[][..], &[0], &[1], &[2], &[1, 0], &[0, 1, 0, 1], &[1, 0, 0, 0, 1], &[0xff; 256]] {
        assert!(key(&good, e).is_err(), "{e:?}");
    }
    assert_eq!(key(&good, &[3]), Ok(()));
    let with_zero = [&[0], &good[..]].concat();
    assert_eq!(key(&with_zero, &[1, 0, 1]), Err(KeyError::Malformed));
    let mut even = good;
    even[255] = 0xfe;
    assert_eq!(key(&even, &[1, 0, 1]), Err(KeyError::Malformed));
}

#[test]
fn the_examples_of_the_standards_have_their_thumbprints() {
    // RFC 7638 section 3.1 and RFC 8037 appendix A.3.
    let n = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn",
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q",
        "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap",
        "JzKnqDKgw"
    );
    for (jwk, expected) in [
        (json!({"kty": "RSA", "n": n, "e": "AQAB"}), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ] {
        assert_eq!(URL_SAFE_NO_PAD.encode(read(&jwk).unwrap().thumbprint()), expected);
    }
}

#[test]
fn keys_are_equal_when_id_material_and_algorithms_are() {
    let key = TestKey::new(Algorithm::Rs256);
    let (plain, named) = (read(&key.jwk()).unwrap(), read(&key.jwk_named("a")).unwrap());
    let mut bound = key.jwk();
    bound["alg"] = json!("RS256");
    assert_eq!(plain, key.public());
    assert_ne!(plain, named);
    assert_ne!(plain, read(&bound).unwrap());
    assert_ne!(plain, TestKey::new(Algorithm::Rs256).public());
    assert_eq!((plain.kid(), named.kid()), (None, Some("a")));
}

proptest! {
    #[test]
    fn no_object_makes_the_reader_panic(
        kty in prop::sample::select(vec!["RSA", "EC", "OKP", "oct", ""]),
        crv in prop::sample::select(vec!["P-256", "P-384", "Ed25519", "X25519"]),
        x in prop::collection::vec(any::<u8>(), 0..70),
        y in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": x, "e": y});
        if let Ok(key) = read(&jwk) {
            prop_assert!(Algorithm::ALL.iter().any(|algorithm| key.fits(*algorithm)));
        }
    }
}
