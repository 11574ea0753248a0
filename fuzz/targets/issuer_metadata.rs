//! No discovery document makes the reader panic; what it takes is the issuer's own and leads to `https` only.
#![no_main]

use doorward_verify::keys::Metadata;
use libfuzzer_sys::fuzz_target;

const ISSUER: &str = "https://id.example";

fn leads_to_https(address: &str) {
    assert!(address.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")));
    let authority = address[8..].split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.is_empty() && !authority.contains('@'));
}

fuzz_target!(|bytes: &[u8]| {
    let whole = Metadata::parse(bytes, ISSUER);
    // The same bytes as the rest of a document that begins as it should.
    let mut begun = format!(r#"{{"issuer":"{ISSUER}","#).into_bytes();
    begun.extend_from_slice(bytes);
    for metadata in [whole, Metadata::parse(&begun, ISSUER)].into_iter().flatten() {
        assert_eq!(metadata.issuer, ISSUER);
        leads_to_https(&metadata.jwks_uri);
        metadata.token_endpoint.as_deref().into_iter().for_each(leads_to_https);
        metadata.doorward_revocation_feed_endpoint.as_deref().into_iter().for_each(leads_to_https);
    }
});
