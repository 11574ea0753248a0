//! No text makes the readers of signatures, keys and proofs panic, and none that was not signed is believed.
#![no_main]

use doorward_model::time::Timestamp;
use doorward_oidc::claims_request::ClaimsRequest;
use doorward_oidc::client_assertion;
use doorward_oidc::dpop::{self, Expectation, NonceRule};
use doorward_oidc::jose::{EmbeddedKey, KeySet, Unverified};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = KeySet::parse(text.as_bytes());
    let _ = ClaimsRequest::parse(text);
    let _ = client_assertion::claimed_client_id(text);
    for embedded_key in [EmbeddedKey::Refused, EmbeddedKey::Required] {
        if let Ok(unverified) = Unverified::parse(text, embedded_key, &["", "jwt", "dpop+jwt"]) {
            let _ = unverified.unproved_claims();
        }
    }
    let expected = Expectation {
        method: "POST",
        address: "https://id.example/oauth/token",
        access_token: None,
        nonce: NonceRule::NotAsked,
        now: Timestamp::from_ms(0),
    };
    let _ = dpop::verify(text, &expected);
});
