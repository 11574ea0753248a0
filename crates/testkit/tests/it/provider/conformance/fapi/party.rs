//! An application of the profile, with the keys it proves itself and its tokens with.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, World};
use http::{Method, header};
use serde_json::{Value, json};

use super::{PUSH, TOKEN, USERINFO};
use crate::people::HOME;
use crate::provider::own_keys::OwnKey;
use crate::provider::private_key_jwt::{TYPE, claims};
use crate::provider::pushed::form;
use crate::provider::relying_party::{CALLBACK, FORM, RelyingParty, VERIFIER};

/// A made-up code: a client that has proved who it is hears that it is wrong.
const NO_CODE: &str = "dwac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An application as the suite's are, with both of its keys.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) shop: RelyingParty,
    pub(super) key: Arc<OwnKey>,
    proof_key: Arc<OwnKey>,
    nonce: String,
}

/// What a proof is for, and what it says otherwise.
pub(super) struct Proof<'a> {
    method: &'a str,
    path: &'a str,
    access: Option<&'a str>,
    /// One of its own for each.
    id: &'a str,
    pub(super) header: Value,
    claims: Value,
}

impl<'a> Proof<'a> {
    pub(super) fn at(path: &'a str, id: &'a str) -> Self {
        Self { method: "POST", path, access: None, id, header: json!({}), claims: json!({}) }
    }

    pub(super) fn of(access: &'a str, id: &'a str) -> Self {
        Self { method: "GET", path: USERINFO, access: Some(access), ..Self::at(USERINFO, id) }
    }

    pub(super) fn with(self, claims: Value) -> Self {
        Self { claims, ..self }
    }
}

impl Party {
    pub(super) async fn register(world: &World) -> Self {
        let (key, proof_key) = (Arc::new(OwnKey::new("ES256")), Arc::new(OwnKey::new("ES256")));
        let fields = json!({
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "require_pushed_authorization_requests": true,
            "dpop_bound_access_tokens": true,
            "refresh_token_rotation": "keep",
            "jwks": key.set(),
        });
        let shop = RelyingParty::register(world, fields).await;
        let mut party = Self { shop, key, proof_key, nonce: String::new() };
        let proof = party.proof(&Proof::at(TOKEN, "without a nonce"));
        let answer = party.exchange(NO_CODE, "first", &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "use_dpop_nonce");
        answer.header("dpop-nonce").unwrap().clone_into(&mut party.nonce);
        party
    }

    /// The same application with another key for its proofs.
    pub(super) fn with_another_key(&self) -> Self {
        Self { proof_key: Arc::new(OwnKey::new("ES256")), ..self.clone() }
    }

    pub(super) fn assertion(&self, id: &str) -> String {
        self.key.sign(&json!({"alg": "ES256"}), &claims(&self.shop, id))
    }

    pub(super) fn thumbprint(&self) -> String {
        let jwk = self.proof_key.jwk();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }

    pub(super) fn proof(&self, proof: &Proof<'_>) -> String {
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.proof_key.jwk()});
        let now = self.shop.world.now().as_seconds();
        let mut claims = json!({
            "jti": proof.id, "htm": proof.method, "htu": format!("{PUBLIC_URL}{}", proof.path), "iat": now,
            "nonce": self.nonce,
        });
        if let Some(access) = proof.access {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, access.as_bytes())));
        }
        header.as_object_mut().unwrap().extend(proof.header.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().extend(proof.claims.as_object().unwrap().clone());
        self.proof_key.sign(&header, &claims)
    }

    /// Pushes an honest request with these changes and this assertion.
    pub(super) async fn push(&self, changes: &[(&str, &str)], assertion: &str, proofs: &[&str]) -> Answer {
        let proved = [("client_assertion", assertion), ("client_assertion_type", TYPE)];
        let changes: Vec<(&str, &str)> = proved.into_iter().chain(changes.iter().copied()).collect();
        self.post(PUSH, form(&self.shop, &changes), proofs).await
    }

    pub(super) async fn post(&self, path: &str, body: String, proofs: &[&str]) -> Answer {
        let mut request = Request::new(Method::POST, path, HOME).header(header::CONTENT_TYPE, FORM);
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        self.shop.world.send(request.body(body)).await
    }

    /// Pushes an honest request with these changes, sends the browser, and gives the code it brings back.
    pub(super) async fn code(
        &self,
        owner: &mut Browser,
        id: &str,
        changes: &[(&str, &str)],
        proofs: &[&str],
    ) -> String {
        let pushed = self.push(changes, &self.assertion(id), proofs).await.expect(201);
        assert_eq!(pushed.header(header::CACHE_CONTROL), Some("no-store"));
        assert!((5..=600).contains(&pushed.json()["expires_in"].as_i64().unwrap()), "{}", pushed.text());
        let fields = [("client_id", self.shop.client_id.as_str()), ("request_uri", &pushed.string("request_uri"))];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        owner.open(&format!("/oauth2/authorize?{query}")).await.expect(303);
        self.shop.code(owner)
    }

    pub(super) async fn exchange(&self, code: &str, id: &str, proofs: &[&str]) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask(&fields, id, proofs).await
    }

    pub(super) async fn ask(&self, fields: &[(&str, &str)], id: &str, proofs: &[&str]) -> Answer {
        let assertion = self.assertion(id);
        let proved = [("client_assertion", assertion.as_str()), ("client_assertion_type", TYPE)];
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs(proved).finish();
        self.post(TOKEN, body, proofs).await
    }

    pub(super) async fn userinfo(&self, scheme: &str, access: &str, proofs: &[&str]) -> Answer {
        let mut request =
            Request::new(Method::GET, USERINFO, HOME).header(header::AUTHORIZATION, &format!("{scheme} {access}"));
        for proof in proofs {
            request = request.header("dpop", proof);
        }
        self.shop.world.send(request).await
    }
}
