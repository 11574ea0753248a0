//! Tokens that were seen before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorward_verify::{Observer, Reason, Refusal, TokenEvent};
use serde_json::json;

use crate::issuer::{Key, NOW, ScriptedIssuer, claims, claims_with, our_issuer};

#[derive(Clone, Debug, Default)]
struct Counter {
    verified: Arc<AtomicUsize>,
    remembered: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Observer for Counter {
    fn token(&self, event: TokenEvent, _: Duration) {
        let counter = match event {
            TokenEvent::Verified => &self.verified,
            TokenEvent::Remembered => &self.remembered,
            _ => &self.refused,
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    fn counts(&self) -> [usize; 3] {
        [&self.verified, &self.remembered, &self.refused].map(|counter| counter.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_signature_is_checked_once() {
    let (issuer, counter) = (ScriptedIssuer::new(), Counter::default());
    let verifier = issuer.builder().issuer(our_issuer()).observer(counter.clone()).build().unwrap();
    let token = issuer.key.access_token(&claims());
    for _ in 0..5 {
        verifier.verify(&token).await.unwrap();
    }
    assert_eq!(counter.counts(), [1, 4, 0]);
    assert!(verifier.verify("no token").await.is_err());
    assert_eq!(counter.counts(), [1, 4, 1]);
}

/// Proves: V9.2.1
#[tokio::test]
async fn what_is_remembered_does_not_outlive_the_token() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let token = issuer.key.access_token(&claims_with("exp", json!(NOW + 60)));
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(64);
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(1);
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Expired.into());
}

/// Proves: A-124
#[tokio::test]
async fn what_is_remembered_does_not_outlive_its_key() {
    let (issuer, counter) = (ScriptedIssuer::new(), Counter::default());
    let verifier = issuer.builder().issuer(our_issuer()).observer(counter.clone()).build().unwrap();
    let token = issuer.key.access_token(&claims_with("exp", json!(NOW + 100_000)));
    verifier.verify(&token).await.unwrap();
    // A key more: the signature is checked again, and is as good as before.
    let second = Key::p256("second");
    issuer.publish(&[&issuer.key, &second]);
    issuer.clock.advance_seconds(1_000);
    let of_second = second.access_token(&claims_with("exp", json!(NOW + 100_000)));
    verifier.verify(&of_second).await.unwrap();
    verifier.verify(&token).await.unwrap();
    assert_eq!(counter.counts(), [3, 0, 0]);
    // The key is gone.
    issuer.publish(&[&second]);
    issuer.clock.advance_seconds(1_000);
    let third = Key::p256("third").access_token(&claims());
    assert_eq!(verifier.verify(&third).await.unwrap_err(), Reason::UnknownKey.into());
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::UnknownKey.into());
    verifier.verify(&of_second).await.unwrap();
}

/// Proves: V9.1.1
#[tokio::test]
async fn nothing_is_remembered_of_a_token_that_was_refused() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let early = issuer.key.access_token(&claims_with("nbf", json!(NOW + 60)));
    assert_eq!(verifier.verify(&early).await.unwrap_err(), Reason::NotYet.into());
    issuer.clock.advance_seconds(60);
    verifier.verify(&early).await.unwrap();
}

#[tokio::test]
async fn the_cache_keeps_what_is_used_and_forgets_the_rest() {
    let (issuer, counter) = (ScriptedIssuer::new(), Counter::default());
    let builder = issuer.builder().issuer(our_issuer()).observer(counter.clone());
    let verifier = builder.cached_tokens(64).build().unwrap();
    let token = |number: usize| issuer.key.access_token(&claims_with("jti", json!(format!("at_{number}"))));
    let favourite = token(0);
    for number in 1..500 {
        verifier.verify(&token(number)).await.unwrap();
        verifier.verify(&favourite).await.unwrap();
    }
    assert_eq!(counter.counts(), [500, 498, 0]);
    // However many came, no more than the capacity is kept.
    assert!(verifier.remembered_tokens() <= 64 + 32, "{}", verifier.remembered_tokens());
}

/// Long tokens, and short ones of many values, are good and are not remembered.
#[tokio::test]
async fn what_takes_much_memory_is_not_remembered() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let many = |count: usize| issuer.key.access_token(&claims_with("x", json!(vec![json!([]); count])));
    let long = issuer.key.access_token(&claims_with("x", json!("x".repeat(3_000))));
    for token in [many(256), long] {
        verifier.verify(&token).await.unwrap();
        assert_eq!(verifier.remembered_tokens(), 0);
    }
    verifier.verify(&many(255)).await.unwrap();
    assert_eq!(verifier.remembered_tokens(), 1);
}

#[tokio::test]
async fn a_cache_of_nothing_remembers_nothing() {
    let (issuer, counter) = (ScriptedIssuer::new(), Counter::default());
    let builder = issuer.builder().issuer(our_issuer()).observer(counter.clone());
    let verifier = builder.cached_tokens(0).build().unwrap();
    let token = issuer.key.access_token(&claims());
    for _ in 0..3 {
        verifier.verify(&token).await.unwrap();
    }
    assert_eq!(counter.counts(), [3, 0, 0]);
}

/// Proves: S-3, S-4
#[tokio::test]
async fn keys_that_cannot_be_had_are_no_fault_of_the_token() {
    let issuer = ScriptedIssuer::new();
    issuer.set_down(true);
    let verifier = issuer.verifier();
    let token = issuer.key.access_token(&claims());
    assert!(matches!(verifier.verify(&token).await, Err(Refusal::Unavailable(_))));
    issuer.set_down(false);
    issuer.clock.advance_seconds(10);
    verifier.verify(&token).await.unwrap();
    // The issuer is gone again, and its keys are known.
    issuer.set_down(true);
    issuer.clock.advance_seconds(3_600);
    let later = issuer.key.access_token(&claims_with("exp", json!(NOW + 7_200)));
    verifier.verify(&later).await.unwrap();
}
