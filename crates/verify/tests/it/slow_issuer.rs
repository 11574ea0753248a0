//! The keys of an issuer that is a real server, through the client that comes with the library: nothing here but what
//! users of the library have.
#![cfg(feature = "client")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use axum::{Json, Router};
use doorward_verify::client::HyperClient;
use doorward_verify::keys::{Algorithm, IssuerKeys, KeySettings};
use doorward_verify::{Observer, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

#[derive(Debug)]
struct Unobserved;

impl Observer for Unobserved {}

/// RFC 9449 section 4.1.
fn key_set() -> Value {
    let (x, y) = ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "use": "sig", "alg": "ES256", "x": x, "y": y}]})
}

/// Proves: S-3, S-4
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_requests_ask_a_slow_issuer_once() {
    let (asked, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
    let keys = {
        let (asked, open) = (Arc::clone(&asked), Arc::clone(&open));
        move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let _turn = open.acquire().await.unwrap();
            Json(key_set())
        }
    };
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(async || Json(metadata)))
        .route("/keys", get(keys));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let client = Arc::new(HyperClient::new().unwrap());
    let settings = KeySettings::new(&issuer);
    let keys = IssuerKeys::new(settings, client, Arc::new(SystemClock), Arc::new(Unobserved));
    let requests: Vec<_> = (0..500)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { keys.find(Algorithm::Es256, Some("a")).await.map(|set| set.keys().len()) })
        })
        .collect();
    // The issuer is asked, and answers nobody yet.
    while asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    open.add_permits(1);
    for request in requests {
        assert_eq!(request.await.unwrap(), Ok(1));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    server.abort();
}
