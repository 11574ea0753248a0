//! No text makes the reader of refresh tokens panic, and no text that was not made by the key verifies. The bytes are
//! read as they are, and as changes to a real token: chance alone finds no text of the right form.
#![no_main]

use doorward_model::id::{FamilyId, SecretKeyId};
use doorward_model::rotation::{Epoch, Generation, MacKey, PresentedToken, Salt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = MacKey::new(SecretKeyId::from_uuid([1; 16]), &[7; 32], Epoch::FIRST);
    let salt = Salt::from_bytes([9; 32]);
    let real = key.token(FamilyId::from_uuid([3; 16]), Generation::FIRST, &salt);
    let mut changed = real.as_bytes().to_vec();
    for (digit, change) in changed.iter_mut().zip(bytes) {
        *digit ^= change;
    }
    for text in [bytes, &changed].into_iter().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
        if let Some(token) = PresentedToken::parse(text) {
            let verifies = key.verifies(&token, &salt);
            assert!(!verifies || *key.token(token.family_id(), token.generation(), &salt) == text);
            assert!(!verifies || text == *real, "a forged token: {text}");
        }
    }
});
