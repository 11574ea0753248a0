//! No text makes the reader of refresh tokens panic, and no text that was not made by the key verifies.
#![no_main]

use doorward_model::id::SecretKeyId;
use doorward_model::rotation::{Epoch, MacKey, PresentedToken, Salt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let key = MacKey::new(SecretKeyId::from_uuid([1; 16]), &[7; 32], Epoch::FIRST);
    if let Some(token) = PresentedToken::parse(text) {
        let verifies = key.verifies(&token, &Salt::from_bytes([9; 32]));
        assert!(!verifies || *key.token(token.family_id(), token.generation(), &Salt::from_bytes([9; 32])) == text);
    }
});
