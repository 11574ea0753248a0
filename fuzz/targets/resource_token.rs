//! No text makes the check of access tokens or of requests panic, and none is taken that no key of the issuer signed.
#![no_main]

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{Clock, Issuer, Verifier};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

const NOW: i64 = 1_800_000_000;
const DISCOVERY: &str = r#"{"issuer":"https://auth.example.com","jwks_uri":"https://auth.example.com/keys"}"#;
/// The key of RFC 9449 section 4.1. Nobody here has its private half.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}]}"#;
const HEADER: &[u8] = br#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#;
const CLAIMS: &[u8] =
    br#"{"iss":"https://auth.example.com","aud":"https://orders.example.com","exp":1800000100,"iat":1800000000,"cnf":{"jkt":"a"}}"#;
const SIGNATURE: &[u8] = &[7; 64];

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> i64 {
        NOW * 1_000
    }
}

/// An issuer that always answers the same.
#[derive(Debug)]
struct Static;

impl HttpClient for Static {
    fn send(&self, request: Request<Bytes>, _: Limits) -> Answer<'_> {
        let body = if request.uri().path() == "/keys" { KEYS } else { DISCOVERY };
        Box::pin(async move { Ok(Response::new(Bytes::from_static(body.as_bytes()))) })
    }
}

struct Service {
    runtime: Runtime,
    verifier: Verifier,
}

impl Service {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ours = Issuer::new("https://auth.example.com").audience("https://orders.example.com");
        let verifier = Verifier::builder().issuer(ours).http_client(Static).clock(Stopped);
        let verifier = verifier.public_url("https://orders.example.com").build().expect("settings that are right");
        Self { runtime, verifier }
    }

    fn refuses(&self, token: &str) {
        assert!(self.runtime.block_on(self.verifier.verify(token)).is_err());
    }

    fn refuses_request(&self, authorization: &[u8], proof: &[u8]) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("authorization", authorization), ("dpop", proof)] {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        let uri = Uri::from_static("/");
        let asked = self.verifier.verify_request(&Method::GET, &uri, &headers);
        assert!(self.runtime.block_on(asked).is_err());
    }
}

fn compact(header: &[u8], claims: &[u8], signature: &[u8]) -> String {
    [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

thread_local! {
    static SERVICE: RefCell<Service> = RefCell::new(Service::new());
}

fuzz_target!(|bytes: &[u8]| {
    SERVICE.with_borrow(|service| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            service.refuses(text);
        }
        service.refuses(&compact(bytes, CLAIMS, SIGNATURE));
        service.refuses(&compact(HEADER, bytes, SIGNATURE));
        service.refuses(&compact(HEADER, CLAIMS, bytes));
        service.refuses_request(bytes, bytes);
        service.refuses_request(&[b"Bearer ", bytes].concat(), b"");
        let token = compact(HEADER, CLAIMS, SIGNATURE);
        service.refuses_request(format!("DPoP {token}").as_bytes(), bytes);
    });
});
