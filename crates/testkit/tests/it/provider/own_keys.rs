//! Keys of applications, and what they sign with them, honest or not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_app::outbound::{ClientDocuments, DocumentAnswer, NoDocument, Outbound};
use doorward_testkit::Setup;
use serde_json::{Value, json};

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// A key pair of an application.
pub(crate) struct OwnKey {
    pair: Pair,
    pub(crate) algorithm: &'static str,
}

impl OwnKey {
    pub(crate) fn new(algorithm: &'static str) -> Self {
        let pair = if algorithm == "ES256" {
            Pair::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
        } else if algorithm == "EdDSA" {
            Pair::Ed25519(Ed25519KeyPair::generate().unwrap())
        } else {
            Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
        };
        Self { pair, algorithm }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair) => {
                // What stands before and after the modulus of RSA-2048 (RFC 8017 appendix A.1.1).
                let key = pair.public_key().as_ref();
                json!({"kty": "RSA", "n": encode(&key[9..265]), "e": encode(&key[267..])})
            }
            Pair::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())}),
        }
    }

    /// A set with this key alone.
    pub(crate) fn set(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    /// The compact form of any header and payload.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(self.sign_bytes(input.as_bytes())))
    }

    #[expect(clippy::disallowed_methods, reason = "a test's signature may be drawn from the system's randomness")]
    fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &dyn RsaEncoding =
                    if self.algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// Documents that applications keep, and who asked for them.
#[derive(Default)]
pub(crate) struct Documents {
    at: Mutex<HashMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

impl Documents {
    /// What the address answers from now on; nothing stands for a server that is down.
    pub(crate) fn put(&self, address: &str, document: Option<&Value>) {
        let mut at = self.at.lock().unwrap();
        match document {
            Some(document) => _ = at.insert(address.to_owned(), document.to_string().into_bytes()),
            None => _ = at.remove(address),
        }
    }

    /// How often anything was asked for since the last time.
    pub(crate) fn take_asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }

    /// A deployment that reads them.
    pub(crate) fn setup(self: &Arc<Self>) -> Setup {
        Setup { outbound: Outbound { documents: self.clone(), ..Outbound::default() }, ..Setup::default() }
    }
}

impl ClientDocuments for Documents {
    fn objection(&self, address: &str) -> Option<&'static str> {
        address.contains("127.0.0.1").then_some("leads into a network that is not public")
    }

    fn fetch<'a>(&'a self, address: &'a str) -> DocumentAnswer<'a> {
        self.asked.lock().unwrap().push(address.to_owned());
        let found = self.at.lock().unwrap().get(address).cloned();
        Box::pin(async move {
            // Whoever asks at the same time gets its turn before the answer is there.
            tokio::task::yield_now().await;
            found.ok_or(NoDocument::Status(503))
        })
    }
}
