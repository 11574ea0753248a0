//! What is logged.

use std::io;
use std::sync::{Arc, Mutex};

use doorward_verify::Requirement;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use serde_json::json;
use tower::{Layer as _, Service as _, ServiceExt as _};

use crate::issuer::{Key, ScriptedIssuer, claims, claims_with};

/// A log that the test reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The reason of a refusal is logged, and no part of the token.
/// Proves: V16.2.5
#[tokio::test]
async fn no_part_of_a_token_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let inner =
        tower::service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(bytes::Bytes::new())));
    let mut service = verifier.layer().layer(Requirement::scope("notes:write").layer().layer(inner));
    let tokens = [
        issuer.key.access_token(&claims()),
        issuer.key.access_token(&claims_with("exp", json!(5))),
        issuer.key.access_token(&claims_with("cnf", json!({"jkt": "x"}))),
        Key::p256("first").access_token(&claims()),
        Key::p256("unknown").access_token(&claims()),
    ];
    for token in &tokens {
        let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap();
        service.ready().await.unwrap().call(request).await.unwrap();
    }
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for reason in ["expired", "proof", "signature", "unknown_key"] {
        assert!(text.contains(reason), "{reason} in {text}");
    }
    for part in tokens.iter().flat_map(|token| token.split('.')) {
        assert!(!text.contains(part), "{part} in {text}");
    }
}
