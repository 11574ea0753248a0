//! What reads the feed goes on, whatever happens to it, and says when it cannot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{FeedEvent, Observer, Reason, RevocationFeed, Verifier};
use http::Request;
use serde_json::json;

use crate::issuer::{Key, ScriptedIssuer, claims, our_issuer};

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
