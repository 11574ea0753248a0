//! An issuer without a network: keys, tokens, a feed, and a clock that stands still.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{Clock, Issuer, RevocationFeed, Verifier, VerifierBuilder};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const URL: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "https://orders.example.com";
/// The time at which every test begins, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock that the test moves.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW * 1_000)))
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) enum Signer {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A key of the issuer.
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) signer: Signer,
}

impl Key {
    pub(crate) fn p256(kid: &str) -> Self {
        let signer = Signer::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
        Self { kid: kid.to_owned(), signer }
    }

    pub(crate) fn ed25519(kid: &str) -> Self {
        Self { kid: kid.to_owned(), signer: Signer::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    pub(crate) fn rsa(kid: &str) -> Self {
        let signer = Signer::Rsa(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap());
        Self { kid: kid.to_owned(), signer }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.signer {
            Signer::P256(_) => "ES256",
            Signer::Ed25519(_) => "EdDSA",
            Signer::Rsa(_) => "RS256",
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.signer {
            Signer::P256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Signer::Ed25519(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key())}),
            Signer::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": encode(n), "e": encode(e)})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::P256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Signer::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A text signed over exactly these two parts.
    pub(crate) fn sign_parts(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.sign_bytes(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_parts(&header.to_string(), &payload.to_string())
    }

    /// An access token with these claims.
    pub(crate) fn access_token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": self.algorithm(), "kid": self.kid, "typ": "at+jwt"}), claims)
    }
}

/// Claims of a token that is good.
pub(crate) fn claims() -> Value {
    json!({
        "iss": URL,
        "aud": [AUDIENCE],
        "sub": "user_01h455vb4pex5vsknk084sn02q",
        "client_id": "client_01h455vb4pex5vsknk084sn02r",
        "sid": "session_01h455vb4pex5vsknk084sn02s",
        "grant_id": "grant_01h455vb4pex5vsknk084sn02t",
        "jti": "at_01h455vb4pex5vsknk084sn02u",
        "iat": NOW - 10,
        "exp": NOW + 290,
        "auth_time": NOW - 100,
        "acr": "urn:doorward:password",
        "amr": ["pwd"],
        "scope": "openid notes:read",
    })
}

/// Good claims, one of them another (none when null).
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => {
            claims.as_object_mut().unwrap().remove(name);
        }
        value => claims[name] = value,
    }
    claims
}

/// What of an id the feed shows.
pub(crate) fn listed_hash(id: &str) -> String {
    encode(&digest(&SHA256, id.as_bytes()).as_ref()[..16])
}

/// The issuer in the settings of a verifier.
pub(crate) fn our_issuer() -> Issuer {
    Issuer::new(URL).audience(AUDIENCE)
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    is_down: bool,
    /// Pages that wait to be asked for.
    pages: VecDeque<Result<Vec<u8>, StatusCode>>,
    requests: Vec<Request<Bytes>>,
}

/// The issuer, as the verifier's HTTP client.
#[derive(Clone)]
pub(crate) struct ScriptedIssuer {
    state: Arc<Mutex<State>>,
    page_came: Arc<Notify>,
    asked: Arc<Notify>,
    pub(crate) clock: ManualClock,
    pub(crate) key: Arc<Key>,
}

impl std::fmt::Debug for ScriptedIssuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ScriptedIssuer").finish_non_exhaustive()
    }
}

impl ScriptedIssuer {
    pub(crate) fn new() -> Self {
        let key = Arc::new(Key::p256("first"));
        let state = Arc::new(Mutex::new(State { keys: vec![key.jwk()], ..State::default() }));
        let (page_came, asked) = (Arc::default(), Arc::default());
        Self { state, page_came, asked, clock: ManualClock::new(), key }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The keys that it publishes from now on.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        self.lock().keys = keys.iter().map(|key| key.jwk()).collect();
    }

    /// Whether it answers.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.lock().requests.iter().filter(|request| request.uri().path() == path).count()
    }

    /// Every path that was asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.lock().requests.iter().map(|request| request.uri().path().to_owned()).collect()
    }

    /// The requests for a path.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request<Bytes>> {
        self.lock().requests.iter().filter(|request| request.uri().path() == path).cloned().collect()
    }

    pub(crate) fn builder(&self) -> VerifierBuilder {
        Verifier::builder().http_client(self.clone()).clock(self.clock.clone())
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.builder().issuer(our_issuer()).build().unwrap()
    }

    pub(crate) fn follower(&self, feed: RevocationFeed) -> Verifier {
        self.builder().issuer(our_issuer().follow(feed)).build().unwrap()
    }

    /// A verifier that has read a first page, which lists nothing.
    pub(crate) async fn following(&self) -> Verifier {
        let verifier = self.follower(RevocationFeed::public());
        self.show(&self.page(&[]));
        self.asked_for_pages(2).await;
        verifier
    }

    /// The payload of a page that lists something, revoked now.
    pub(crate) fn page(&self, revoked: &[(&str, &str)]) -> Value {
        let now_ms = self.clock.now_ms();
        let revoked: Vec<Value> = revoked.iter().map(|(kind, id)| json!([kind, listed_hash(id), now_ms])).collect();
        json!({
            "iss": URL, "iat": now_ms / 1_000, "as_of": now_ms, "complete_since": now_ms / 1_000 - 900,
            "cursor": format!("c{now_ms}"), "more": false, "revoked": revoked,
        })
    }

    /// Shows a page to the next request for one.
    pub(crate) fn show(&self, page: &Value) {
        let header = json!({"alg": self.key.algorithm(), "kid": self.key.kid, "typ": "doorward-revocations+jwt"});
        self.show_text(self.key.sign(&header, page));
    }

    pub(crate) fn show_text(&self, text: String) {
        self.lock().pages.push_back(Ok(text.into_bytes()));
        self.page_came.notify_one();
    }

    pub(crate) fn show_status(&self, status: StatusCode) {
        self.lock().pages.push_back(Err(status));
        self.page_came.notify_one();
    }

    /// Returns when the feed has been asked for so many pages: the ones before have been taken in.
    pub(crate) async fn asked_for_pages(&self, pages: usize) {
        while self.count("/oauth2/revocations") < pages {
            self.asked.notified().await;
        }
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, doorward_verify::client::ClientError> {
        let path = request.uri().path().to_owned();
        self.lock().requests.push(request);
        self.asked.notify_one();
        if self.lock().is_down {
            return Err(doorward_verify::client::ClientError::Connection);
        }
        let json = |value: Value| Ok(Response::new(Bytes::from(value.to_string())));
        let keys = self.lock().keys.clone();
        match path.as_str() {
            "/.well-known/openid-configuration" => json(json!({
                "issuer": URL,
                "jwks_uri": format!("{URL}/keys"),
                "token_endpoint": format!("{URL}/oauth2/token"),
                "doorward_revocation_feed_endpoint": format!("{URL}/oauth2/revocations"),
            })),
            "/keys" => json(json!({"keys": keys})),
            "/oauth2/token" => json(json!({"access_token": "for-the-feed", "token_type": "Bearer", "expires_in": 300})),
            "/oauth2/revocations" => loop {
                let page = self.lock().pages.pop_front();
                match page {
                    Some(Ok(text)) => return Ok(Response::new(Bytes::from(text))),
                    Some(Err(status)) => {
                        let mut response = Response::new(Bytes::new());
                        *response.status_mut() = status;
                        return Ok(response);
                    }
                    None => self.page_came.notified().await,
                }
            },
            _ => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NOT_FOUND;
                Ok(response)
            }
        }
    }
}

impl HttpClient for ScriptedIssuer {
    fn send(&self, request: Request<Bytes>, _: Limits) -> Answer<'_> {
        Box::pin(self.answer(request))
    }
}
