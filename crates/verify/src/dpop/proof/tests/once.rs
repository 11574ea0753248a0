//! No proof is used twice.

use super::*;
use crate::dpop::{MemoryReplays, Remembered};

/// Proves: A-110
#[tokio::test]
async fn a_proof_is_good_once() {
    let (key, other) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let store = MemoryReplays::new(4);
    let check = async |key: &TestKey, claims: &Value, now: i64| {
        let (text, thumbprint) = (key.sign_compact(&header(key), claims), thumbprint(key));
        let proof = proof(&text, &thumbprint);
        proof.check(now, &ProofSettings::default(), &store).await
    };
    assert_eq!(check(&key, &claims(), NOW).await, Ok(()));
    // Signed anew, at every moment in which it is good, and with another time: the id was used.
    for now in [NOW, NOW + 1, NOW + 300] {
        assert_eq!(check(&key, &claims(), now).await, Err(DpopRefusal::Replayed), "{now}");
    }
    let later = changed(claims(), "iat", Some(json!(NOW + 100)));
    assert_eq!(check(&key, &later, NOW + 100).await, Err(DpopRefusal::Replayed));
    // What is refused for another reason uses up nothing.
    let second = changed(claims(), "jti", Some(json!("two")));
    let wrong = changed(second.clone(), "htm", Some(json!("GET")));
    assert_eq!(check(&key, &wrong, NOW).await, Err(DpopRefusal::Method));
    assert_eq!(check(&key, &second, NOW).await, Ok(()));
    // Another key has ids of its own, and whoever has used up its room is not let in.
    assert_eq!(check(&other, &claims(), NOW).await, Ok(()));
    assert_eq!(check(&other, &second, NOW).await, Err(DpopRefusal::Full));
    assert_eq!(check(&key, &claims(), NOW).await, Err(DpopRefusal::Replayed));
}

#[derive(Debug)]
struct Unreachable;

impl ReplayStore for Unreachable {
    fn remember(&self, _: ProofId, _: i64, _: i64) -> Remembered<'_> {
        Box::pin(std::future::ready(Err(ReplayError::Unavailable)))
    }
}

/// Proves: A-110
#[tokio::test]
async fn without_its_store_no_proof_is_taken() {
    let key = TestKey::new(Algorithm::Es256);
    let (text, thumbprint) = (key.sign_compact(&header(&key), &claims()), thumbprint(&key));
    let proof = proof(&text, &thumbprint);
    assert_eq!(proof.check(NOW, &ProofSettings::default(), &Unreachable).await, Err(DpopRefusal::Full));
}
