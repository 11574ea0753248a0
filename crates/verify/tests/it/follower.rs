//! What reads the feed goes on, whatever happens to it, and says when it cannot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{FeedEvent, Observer, Reason, Refusal, RevocationFeed, Unavailable, Verifier};
use http::Request;
use serde_json::json;

use crate::issuer::{Key, NOW, ScriptedIssuer, claims, claims_with, our_issuer};

const SESSION: (&str, &str) = ("session", "session_01h455vb4pex5vsknk084sn02s");

/// Remembers what was told of the feed.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<FeedEvent>>>);

impl Observer for Told {
    fn feed(&self, _: &str, event: FeedEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Told {
    fn count(&self, event: FeedEvent) -> usize {
        self.0.lock().unwrap().iter().filter(|told| **told == event).count()
    }
}

/// A client whose requests for pages go wrong in the way that a test says, until they do not.
#[derive(Clone, Debug)]
struct Failing {
    issuer: ScriptedIssuer,
    fails: Arc<AtomicBool>,
    panics: bool,
}

impl HttpClient for Failing {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Answer<'_> {
        if request.uri().path() == "/oauth2/revocations" && self.fails.load(Ordering::SeqCst) {
            assert!(!self.panics, "a client that panics");
            return Box::pin(std::future::pending());
        }
        self.issuer.send(request, limits)
    }
}

fn follower(issuer: &ScriptedIssuer, panics: bool) -> (Verifier, Failing, Told) {
    let client = Failing { issuer: issuer.clone(), fails: Arc::new(AtomicBool::new(true)), panics };
    let told = Told::default();
    let verifier = Verifier::builder().http_client(client.clone()).clock(issuer.clock.clone()).observer(told.clone());
    let verifier = verifier.issuer(our_issuer().follow(RevocationFeed::public())).build().unwrap();
    (verifier, client, told)
}

/// Proves: V16.5.2, V16.5.3
#[tokio::test(start_paused = true)]
async fn a_client_that_panics_or_stalls_does_not_end_the_news() {
    for panics in [true, false] {
        let issuer = ScriptedIssuer::new();
        let (verifier, client, told) = follower(&issuer, panics);
        for _ in 0..120 {
            if told.count(FeedEvent::Failed) < 2 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        assert!(told.count(FeedEvent::Lost) > 0, "nobody was told that nothing is known");
        client.fails.store(false, Ordering::SeqCst);
        issuer.show(&issuer.page(&[SESSION]));
        issuer.asked_for_pages(2).await;
        let token = issuer.key.access_token(&claims());
        assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
    }
}

/// Pages come, and say of themselves that they are old.
/// Proves: V16.5.2
#[tokio::test(start_paused = true)]
async fn an_issuer_that_learns_nothing_new_is_told_of() {
    let issuer = ScriptedIssuer::new();
    let (_verifier, client, told) = follower(&issuer, false);
    client.fails.store(false, Ordering::SeqCst);
    let old = issuer.page(&[]);
    issuer.show(&old);
    issuer.asked_for_pages(2).await;
    assert_eq!(told.count(FeedEvent::Lost), 0);
    issuer.clock.advance_seconds(31);
    let mut page = issuer.page(&[]);
    page["as_of"] = old["as_of"].clone();
    issuer.show(&page);
    issuer.asked_for_pages(3).await;
    assert_eq!(told.count(FeedEvent::Lost), 1);
}

/// Many pages at the start are no outage.
#[tokio::test(start_paused = true)]
async fn a_long_list_at_the_start_is_no_loss() {
    let issuer = ScriptedIssuer::new();
    let (_verifier, client, told) = follower(&issuer, false);
    client.fails.store(false, Ordering::SeqCst);
    let mut first = issuer.page(&[SESSION]);
    first["more"] = json!(true);
    issuer.show(&first);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    assert_eq!(told.count(FeedEvent::Lost), 0);
}

/// Proves: A-121
#[tokio::test(start_paused = true)]
async fn what_a_revoked_key_signed_is_no_page() {
    let issuer = ScriptedIssuer::new();
    let second = Key::p256("second");
    issuer.publish(&[&issuer.key, &second]);
    let verifier = issuer.follower(RevocationFeed::public());
    issuer.show(&issuer.page(&[("key", "first")]));
    issuer.asked_for_pages(2).await;
    let token = second.access_token(&claims());
    verifier.verify(&token).await.unwrap();
    // Whoever stole the key goes on with it.
    issuer.show(&issuer.page(&[SESSION]));
    issuer.asked_for_pages(3).await;
    verifier.verify(&token).await.unwrap();
    let header = json!({"alg": "ES256", "kid": "second", "typ": "doorward-revocations+jwt"});
    issuer.show_text(second.sign(&header, &issuer.page(&[SESSION])));
    issuer.asked_for_pages(4).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
}

/// Nobody knows for how long there was no news, once the clock was set back.
/// Proves: V16.5.2
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_make_old_news_new() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.follower(RevocationFeed::public());
    let page = || {
        let mut page = issuer.page(&[]);
        page["complete_since"] = json!(NOW - 10_000);
        page
    };
    issuer.show(&page());
    issuer.asked_for_pages(2).await;
    let token = issuer.key.access_token(&claims_with("iat", json!(NOW - 8_000)));
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(-3_600);
    let lost = Refusal::Unavailable(Unavailable::Revocations);
    assert_eq!(verifier.verify(&token).await.unwrap_err(), lost);
    issuer.show(&page());
    issuer.asked_for_pages(3).await;
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(31);
    assert_eq!(verifier.verify(&token).await.unwrap_err(), lost);
}

/// Also a token that was verified before, and also when the page lists nothing.
/// Proves: S-31
#[tokio::test(start_paused = true)]
async fn a_page_that_lists_nothing_can_make_tokens_too_old() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.follower(RevocationFeed::public());
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(2).await;
    let token = issuer.key.access_token(&claims());
    verifier.verify(&token).await.unwrap();
    let mut page = issuer.page(&[]);
    page["complete_since"] = json!(NOW - 5);
    issuer.show(&page);
    issuer.asked_for_pages(3).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
}

/// Whoever stole it makes new tokens, and the keys here may be old ones for a day.
/// Proves: A-121
#[tokio::test(start_paused = true)]
async fn a_revoked_key_stays_revoked_and_everything_else_ends() {
    let issuer = ScriptedIssuer::new();
    let second = Key::p256("second");
    issuer.publish(&[&issuer.key, &second]);
    let verifier = issuer.follower(RevocationFeed::public());
    let show = |page: &serde_json::Value| {
        let header = json!({"alg": "ES256", "kid": "second", "typ": "doorward-revocations+jwt"});
        issuer.show_text(second.sign(&header, page));
    };
    let mut page = issuer.page(&[("key", "first"), SESSION]);
    // Dated far ahead, and not kept for longer because of that.
    page["revoked"][1][2] = json!(NOW * 2_000);
    show(&page);
    issuer.asked_for_pages(2).await;
    issuer.clock.advance_seconds(1_100);
    show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    assert_eq!(verifier.remembered_revocations(), 1);
    let mut claims = claims_with("iat", json!(NOW + 1_100));
    claims["exp"] = json!(NOW + 1_200);
    assert_eq!(verifier.verify(&issuer.key.access_token(&claims)).await.unwrap_err(), Reason::Revoked.into());
    verifier.verify(&second.access_token(&claims)).await.unwrap();
}
