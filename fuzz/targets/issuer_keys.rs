//! No document of an issuer makes the readers of keys panic, and what they take checks signatures and nothing else.
#![no_main]

use doorward_verify::keys::{Algorithm, KeySet, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

/// No key made this.
const SIGNATURE: [u8; 64] = [7; 64];

fn holds(key: &VerifyingKey) {
    let fitting: Vec<_> = Algorithm::ALL.into_iter().filter(|algorithm| key.fits(*algorithm)).collect();
    assert!(!fitting.is_empty());
    assert!(key.kid().is_none_or(|kid| !kid.is_empty()));
    for algorithm in fitting {
        assert!(!key.verify(algorithm, b"message", &SIGNATURE[..]));
        assert!(!key.verify(algorithm, b"message", b""));
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = KeySet::parse(bytes) {
        assert!((1..=KeySet::MAX_KEYS).contains(&set.keys().len()));
        for key in set.keys() {
            holds(key);
            let mut candidates = Algorithm::ALL.into_iter().flat_map(|algorithm| set.candidates(algorithm, key.kid()));
            assert!(candidates.any(|candidate| candidate == key));
        }
    }
    if let Ok(members) = serde_json::from_slice::<Map<String, Value>>(bytes)
        && let Ok(key) = VerifyingKey::from_jwk(&members)
    {
        assert!(!members.contains_key("d") && !members.contains_key("k"));
        holds(&key);
    }
});
