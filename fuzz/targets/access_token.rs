//! No text makes the readers of access tokens panic.
#![no_main]

use doorward_model::token::{AccessClaims, Compact, Header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Header::parse(bytes);
    let _ = AccessClaims::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Compact::parse(text);
    }
});
