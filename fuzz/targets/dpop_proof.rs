//! No proof makes the reader panic, and none is taken that its key did not sign.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_verify::dpop::{MemoryReplays, Proof, ProofSettings};
use libfuzzer_sys::fuzz_target;

/// The key of RFC 9449 section 4.1, and claims that are right for the request below.
const HEADER: &str = r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}}"#;
const CLAIMS: &str = r#"{"jti":"a","htm":"GET","htu":"https://api.example/","iat":0,"ath":"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"}"#;

fn is_taken(text: &str, uri: &str) -> bool {
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let proof = Proof { text, method: "GET", uri, access_token: "test", thumbprint, holder: None };
    let (settings, replays) = (ProofSettings::default(), MemoryReplays::new(1));
    let mut checked = pin!(proof.check(0, &settings, &replays));
    match checked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.is_ok(),
        Poll::Pending => unreachable!("the store in memory answers at once"),
    }
}

fn compact(header: &[u8], claims: &[u8]) -> String {
    let signature = URL_SAFE_NO_PAD.encode([7; 64]);
    format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(!is_taken(text, "https://api.example/"));
        assert!(!is_taken(&compact(HEADER.as_bytes(), CLAIMS.as_bytes()), text));
    }
    assert!(!is_taken(&compact(bytes, CLAIMS.as_bytes()), "https://api.example/"));
    assert!(!is_taken(&compact(HEADER.as_bytes(), bytes), "https://api.example/"));
});
