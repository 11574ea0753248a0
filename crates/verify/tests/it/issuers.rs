//! Several issuers at once.

use doorward_verify::{Issuer, Reason};
use serde_json::json;

use crate::issuer::{AUDIENCE, ScriptedIssuer, URL, claims, claims_with, our_issuer};

/// Each has its rules, and its keys are its own.
/// Proves: V9.1.3, A-125
#[tokio::test]
async fn each_issuer_has_rules_of_its_own() {
    let issuer = ScriptedIssuer::new();
    // The other one's keys are where its settings say, and nothing of it is found by discovery.
    let other = Issuer::new("https://other.example").audience("theirs").jwks_uri(&format!("{URL}/other-keys"));
    let verifier = issuer.builder().issuer(our_issuer()).issuer(other).build().unwrap();
    verifier.verify(&issuer.key.access_token(&claims())).await.unwrap();
    // Our key under their name: their keys are asked for, and this is none of them.
    let mut forged = claims_with("iss", json!("https://other.example"));
    assert_eq!(verifier.verify(&issuer.key.access_token(&forged)).await.unwrap_err(), Reason::Audience.into());
    forged["aud"] = json!("theirs");
    assert!(verifier.verify(&issuer.key.access_token(&forged)).await.is_err());
    assert_eq!(issuer.count("/other-keys"), 1);
    // Their audience is none of ours.
    let token = issuer.key.access_token(&claims_with("aud", json!("theirs")));
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Audience.into());
    let token = issuer.key.access_token(&claims_with("aud", json!(["theirs", AUDIENCE])));
    verifier.verify(&token).await.unwrap();
}
