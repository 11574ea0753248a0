//! An issuer of tokens: a key, the documents that lead to it, and nothing else.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::Outcome;

/// A key that signs access tokens like those of Doorward.
pub(crate) struct SigningKey {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Now, in seconds since 1970.
pub(crate) fn now_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

impl SigningKey {
    pub(crate) fn new() -> Outcome<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| "no key")?;
        Ok(Self { key, random: SystemRandom::new() })
    }

    /// The uncompressed point.
    pub(crate) fn public_point(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub(crate) fn key_set(&self) -> Value {
        let (x, y) = self.public_point()[1..].split_at(32);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "bench", "use": "sig", "alg": "ES256",
        }]})
    }

    /// A token that is good for an hour, of the length of Doorward's own.
    pub(crate) fn access_token(&self, issuer: &str, number: usize) -> String {
        let id = |prefix: &str| format!("{prefix}_01h455vb4pex5vsk{number:010}");
        let now = now_seconds();
        let header = json!({"alg": "ES256", "kid": "bench", "typ": "at+jwt"});
        let claims = json!({
            "iss": issuer, "aud": [AUDIENCE], "sub": id("user"), "client_id": "client_01h455vb4pex5vsknk084sn02r",
            "sid": id("session"), "grant_id": id("grant"), "jti": id("at"), "iat": now, "exp": now + 3_600,
            "auth_time": now, "acr": "urn:doorward:password", "amr": ["pwd"], "scope": "openid notes:read",
        });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        // A key that was made signs everything that fits into memory.
        let signature = self.key.sign(&self.random, signed.as_bytes()).map(|signature| encode(signature.as_ref()));
        format!("{signed}.{}", signature.unwrap_or_default())
    }
}

/// The key behind the two documents, on loopback.
pub(crate) struct TokenIssuer {
    pub(crate) url: String,
    pub(crate) key: SigningKey,
}

impl TokenIssuer {
    /// Serves from a thread of its own until this process ends.
    pub(crate) fn serve() -> Outcome<Self> {
        let key = SigningKey::new()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address: SocketAddr = listener.local_addr()?;
        let url = format!("http://{address}");
        let metadata = json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"), "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        });
        let keys = key.key_set();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(metadata)))
            .route("/keys", get(async move || Json(keys)));
        std::thread::spawn(move || -> Outcome<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await?;
                Ok(())
            })
        });
        Ok(Self { url, key })
    }
}
