//! No page of the feed of revocations, even one that the issuer signed, makes its reader panic, and none that is not
//! whole changes anything.
#![no_main]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{Clock, Issuer, RevocationFeed, Verifier};
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;
use tokio::sync::Notify;

const NOW: i64 = 1_800_000_000;
const DISCOVERY: &str = r#"{"issuer":"https://auth.example.com","jwks_uri":"https://auth.example.com/keys","doorward_revocation_feed_endpoint":"https://auth.example.com/feed"}"#;

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"));

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> i64 {
        NOW * 1_000
    }
}

/// Shows one page, and no other ever.
#[derive(Debug)]
struct OnePage {
    page: String,
    asked: AtomicUsize,
    was_read: Arc<Notify>,
}

impl OnePage {
    fn keys() -> String {
        let (x, y) = KEY.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","x":"{x}","y":"{y}"}}]}}"#)
    }
}

impl HttpClient for OnePage {
    fn send(&self, request: Request<Bytes>, _: Limits) -> Answer<'_> {
        let path = request.uri().path().to_owned();
        Box::pin(async move {
            let body = match path.as_str() {
                "/keys" => Self::keys(),
                "/feed" if self.asked.fetch_add(1, Ordering::SeqCst) == 0 => self.page.clone(),
                "/feed" => {
                    self.was_read.notify_one();
                    std::future::pending().await
                }
                _ => DISCOVERY.to_owned(),
            };
            Ok(Response::new(Bytes::from(body)))
        })
    }
}

/// The first byte chooses whether the bytes are the payload of a page that is signed, or a whole answer.
fn page(bytes: &[u8]) -> Option<String> {
    let (first, rest) = bytes.split_first()?;
    if first % 8 == 0 {
        return Some(String::from_utf8_lossy(rest).into_owned());
    }
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"a","typ":"doorward-revocations+jwt"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(rest));
    let signature = KEY.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
}

fuzz_target!(|bytes: &[u8]| {
    let Some(page) = page(bytes) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let was_read = Arc::new(Notify::new());
        let client = OnePage { page, asked: AtomicUsize::new(0), was_read: Arc::clone(&was_read) };
        let issuer = Issuer::new("https://auth.example.com").audience("a").follow(RevocationFeed::public());
        let verifier = Verifier::builder().issuer(issuer).http_client(client).clock(Stopped).build();
        let verifier = verifier.expect("settings that are right");
        // The reader has come back for the next page: it has taken this one, or refused it.
        was_read.notified().await;
        assert!(verifier.remembered_revocations() <= bytes.len() / 22);
    });
});
