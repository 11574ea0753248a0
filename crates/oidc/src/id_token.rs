//! ID tokens and `UserInfo`: what a client learns about a person (OpenID Connect Core 2, 5).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::claims_request::Wish;
use crate::jose::Algorithm;
use crate::scope::{EMAIL, PROFILE, Scope};

/// The `typ` of an ID token.
pub const TOKEN_TYPE: &str = "JWT";
/// The claims that belong to each scope, of those Doorward knows (OpenID Connect Core 5.4).
const BY_SCOPE: [(&str, &[&str]); 2] =
    [(PROFILE, &["name", "locale", "updated_at"]), (EMAIL, &["email", "email_verified"])];
/// Every claim about a person that Doorward can give: for discovery.
pub const PERSONAL_CLAIMS: [&str; 5] = ["name", "locale", "updated_at", "email", "email_verified"];

/// What an ID token says besides claims about the person.
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `sub`: the id by which this client knows the person.
    pub subject: &'a str,
    /// `aud` and `azp`: the client, and nobody else.
    pub client_id: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `auth_time`: when the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// `nonce`, as the request had it.
    pub nonce: Option<&'a str>,
    /// `acr`.
    pub acr: &'a str,
    /// `amr` (RFC 8176).
    pub amr: &'a [String],
    /// `sid`, for a client that is told when the session is over.
    pub session_id: Option<&'a str>,
    /// The access token issued with it, for `at_hash`.
    pub access_token: Option<&'a str>,
}

impl IdToken<'_> {
    /// The claims, for a signature with this algorithm. `personal` are claims about the person that the client asked
    /// for in the ID token; they never replace one of the token's own.
    pub fn claims(&self, algorithm: Algorithm, personal: Map<String, Value>) -> Map<String, Value> {
        let mut claims = personal;
        let own = [
            ("iss", Some(json!(self.issuer))),
            ("sub", Some(json!(self.subject))),
            ("aud", Some(json!(self.client_id))),
            ("azp", Some(json!(self.client_id))),
            ("iat", Some(json!(self.issued_at.as_seconds()))),
            ("exp", Some(json!(self.expires_at.as_seconds()))),
            ("auth_time", Some(json!(self.authenticated_at.as_seconds()))),
            ("nonce", self.nonce.map(|nonce| json!(nonce))),
            ("acr", Some(json!(self.acr))),
            ("amr", Some(json!(self.amr))),
            ("sid", self.session_id.map(|id| json!(id))),
            ("at_hash", self.access_token.map(|token| json!(left_half(algorithm, token)))),
        ];
        for (name, value) in own {
            claims.remove(name);
            claims.extend(value.map(|value| (name.to_owned(), value)));
        }
        claims
    }
}

/// The left half of the hash that goes with the algorithm, in base64url: `at_hash` (OpenID Connect Core 3.1.3.6). For
/// Ed25519 that is SHA-512, which is part of it (RFC 8032 section 5.1).
pub fn left_half(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => digest(&SHA256, token.as_bytes()),
        Algorithm::EdDsa => digest(&SHA512, token.as_bytes()),
    };
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

/// What is known about a person.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// `name`.
    pub name: Option<&'a str>,
    /// `locale` (BCP 47).
    pub locale: Option<&'a str>,
    /// `updated_at`.
    pub updated_at: Option<Timestamp>,
    /// `email`.
    pub email: Option<&'a str>,
    /// `email_verified`.
    pub email_verified: bool,
}

impl Person<'_> {
    /// The claims at the `UserInfo` endpoint, without `sub`: those of the scope. Asking for one by name has asked for its
    /// scope, because the person consents to scopes (OpenID Connect Core 5.5 leaves that to us).
    pub fn userinfo(&self, scope: &Scope) -> Map<String, Value> {
        let mut claims = self.all();
        claims.retain(|name, _| is_allowed(scope, name));
        claims
    }

    /// The claims in the ID token: only those asked for there by name, because in the code flow the rest is at the
    /// `UserInfo` endpoint (OpenID Connect Core 5.4).
    pub fn in_id_token(&self, scope: &Scope, wishes: &BTreeMap<String, Wish>) -> Map<String, Value> {
        let mut claims = self.all();
        claims.retain(|name, _| is_allowed(scope, name) && wishes.contains_key(name));
        claims
    }

    fn all(&self) -> Map<String, Value> {
        let known = [
            ("name", self.name.map(|name| json!(name))),
            ("locale", self.locale.map(|locale| json!(locale))),
            ("updated_at", self.updated_at.map(|at| json!(at.as_seconds()))),
            ("email", self.email.map(|email| json!(email))),
            ("email_verified", self.email.map(|_| json!(self.email_verified))),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// The scopes that claims belong to, each once.
pub fn scopes_of<'a>(claims: impl Iterator<Item = &'a String> + Clone) -> impl Iterator<Item = &'static str> {
    let is_asked_for = move |names: &[&str]| claims.clone().any(|claim| names.contains(&claim.as_str()));
    BY_SCOPE.into_iter().filter(move |(_, names)| is_asked_for(names)).map(|(word, _)| word)
}

fn is_allowed(scope: &Scope, claim: &str) -> bool {
    BY_SCOPE.iter().any(|(word, claims)| scope.contains(word) && claims.contains(&claim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> IdToken<'static> {
        IdToken {
            issuer: "https://id.example",
            subject: "user_1",
            client_id: "shop",
            issued_at: Timestamp::from_ms(1_000_999),
            expires_at: Timestamp::from_ms(1_600_000),
            authenticated_at: Timestamp::from_ms(900_000),
            nonce: Some("n"),
            acr: "aal1",
            amr: &[],
            session_id: Some("session_1"),
            access_token: None,
        }
    }

    fn person() -> Person<'static> {
        Person {
            name: Some("Ada"),
            locale: Some("en"),
            updated_at: Some(Timestamp::from_ms(5_000)),
            email: Some("ada@shop.example"),
            email_verified: true,
        }
    }

    fn names(claims: &Map<String, Value>) -> String {
        let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.join(" ")
    }

    #[test]
    fn an_id_token_has_the_claims_of_the_standard() {
        let claims = token().claims(Algorithm::Rs256, Map::new());
        assert_eq!(names(&claims), "acr amr aud auth_time azp exp iat iss nonce sid sub");
        assert_eq!((&claims["aud"], &claims["azp"], &claims["iat"]), (&json!("shop"), &json!("shop"), &json!(1_000)));
        let without = IdToken { nonce: None, session_id: None, ..token() }.claims(Algorithm::Rs256, Map::new());
        assert_eq!(names(&without), "acr amr aud auth_time azp exp iat iss sub");
    }

    #[test]
    fn a_claim_about_the_person_replaces_none_of_the_tokens_own() {
        let Value::Object(hostile) =
            json!({"iss": "https://evil.example", "sub": "other", "nonce": "x", "sid": "y", "name": "Ada"})
        else {
            panic!("no object")
        };
        let claims = IdToken { nonce: None, session_id: None, ..token() }.claims(Algorithm::Es256, hostile);
        assert_eq!(names(&claims), "acr amr aud auth_time azp exp iat iss name sub");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("https://id.example"), &json!("user_1")));
    }

    #[test]
    fn the_hash_of_the_access_token_is_the_left_half() {
        // OpenID Connect Core appendix A.3.
        let text = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half(Algorithm::Rs256, text), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half(Algorithm::Es256, text).len(), 22);
        assert_eq!(left_half(Algorithm::EdDsa, text).len(), 43);
        let claims = IdToken { access_token: Some(text), ..token() }.claims(Algorithm::Rs256, Map::new());
        assert_eq!(claims["at_hash"], "77QmUPtjPfzWtF2AnpK9RQ");
    }

    /// Proves: A-91
    #[test]
    fn a_person_is_described_as_far_as_the_scope_allows() {
        let wish = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Wish::default())).collect();
        let scope = |text: &str| Scope::parse(text).unwrap();
        for (allowed, asked, userinfo, id_token) in [
            ("openid", &["email", "name"][..], "", ""),
            ("openid profile", &["email", "name"], "locale name updated_at", "name"),
            ("openid email", &["email"], "email email_verified", "email"),
            ("openid email profile", &[], "email email_verified locale name updated_at", ""),
            ("openid Email", &["phone_number"], "", ""),
        ] {
            let wishes: BTreeMap<String, Wish> = wish(asked);
            assert_eq!(names(&person().userinfo(&scope(allowed))), userinfo, "{allowed}");
            assert_eq!(names(&person().in_id_token(&scope(allowed), &wishes)), id_token, "{allowed}");
        }
        let nameless = Person { name: None, email: None, ..person() };
        assert_eq!(names(&nameless.userinfo(&scope("profile email"))), "locale updated_at");
    }

    #[test]
    fn every_personal_claim_belongs_to_a_scope() {
        let listed: Vec<&str> = BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter().copied()).collect();
        assert_eq!(listed, PERSONAL_CLAIMS);
    }
}
