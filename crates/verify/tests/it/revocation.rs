//! What was revoked is refused, and what nobody can tell is refused after a while.

use std::time::Duration;

use doorward_verify::{Outage, Reason, Refusal, RevocationFeed, Unavailable};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::issuer::{Key, NOW, ScriptedIssuer, claims, claims_with, our_issuer};

const FEED: &str = "/oauth2/revocations";

/// Proves: S-31, S-193, V7.4.1, V8.3.2
#[tokio::test(start_paused = true)]
async fn whatever_a_token_came_from_takes_it_along() {
    let listed = [
        ("session", "session_01h455vb4pex5vsknk084sn02s"),
        ("grant", "grant_01h455vb4pex5vsknk084sn02t"),
        ("token", "at_01h455vb4pex5vsknk084sn02u"),
        ("client", "client_01h455vb4pex5vsknk084sn02r"),
        ("subject", "user_01h455vb4pex5vsknk084sn02q"),
        ("key", "first"),
    ];
    for (kind, id) in listed {
        let issuer = ScriptedIssuer::new();
        let verifier = issuer.following().await;
        let (seen, unseen) = (issuer.key.access_token(&claims()), issuer.key.access_token(&claims_with("x", json!(1))));
        verifier.verify(&seen).await.unwrap();
        issuer.show(&issuer.page(&[(kind, id)]));
        issuer.asked_for_pages(3).await;
        for token in [&seen, &unseen] {
            assert_eq!(verifier.verify(token).await.unwrap_err(), Reason::Revoked.into(), "{kind}");
        }
        // Of another session, grant and so on, it would be good.
        if kind != "key" {
            let name = match kind {
                "session" => "sid",
                "grant" => "grant_id",
                "token" => "jti",
                "client" => "client_id",
                _ => "sub",
            };
            let other = issuer.key.access_token(&claims_with(name, json!("other")));
            verifier.verify(&other).await.unwrap();
            let without = issuer.key.access_token(&claims_with(name, Value::Null));
            verifier.verify(&without).await.unwrap();
        }
    }
}

/// An id is revoked as what it is: the same text elsewhere is something else.
#[tokio::test(start_paused = true)]
async fn a_kind_is_not_another() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let sid = "session_01h455vb4pex5vsknk084sn02s";
    issuer.show(&issuer.page(&[
        ("grant", sid),
        ("token", sid),
        ("client", sid),
        ("subject", sid),
        ("key", sid),
        ("planet", sid),
    ]));
    issuer.asked_for_pages(3).await;
    verifier.verify(&issuer.key.access_token(&claims())).await.unwrap();
}

/// A client or a person that was disabled and enabled again goes on with tokens issued since.
#[tokio::test(start_paused = true)]
async fn clients_and_subjects_go_on_with_later_tokens() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let subject = "user_01h455vb4pex5vsknk084sn02q";
    issuer.show(&issuer.page(&[("subject", subject), ("client", "client_01h455vb4pex5vsknk084sn02r")]));
    issuer.asked_for_pages(3).await;
    issuer.clock.advance_seconds(5);
    for (issued, is_good) in [(NOW - 1, false), (NOW, false), (NOW + 1, true)] {
        let token = issuer.key.access_token(&claims_with("iat", json!(issued)));
        assert_eq!(verifier.verify(&token).await.is_ok(), is_good, "issued at {}", issued - NOW);
    }
    // One that does not say when it was issued may have been issued before.
    let token = issuer.key.access_token(&claims_with("iat", Value::Null));
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
}

/// Proves: S-31
#[tokio::test(start_paused = true)]
async fn what_the_issuer_no_longer_knows_is_refused() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let mut page = issuer.page(&[("session", "another")]);
    page["complete_since"] = json!(NOW - 5);
    issuer.show(&page);
    issuer.asked_for_pages(3).await;
    assert_eq!(verifier.verify(&issuer.key.access_token(&claims())).await.unwrap_err(), Reason::Revoked.into());
    verifier.verify(&issuer.key.access_token(&claims_with("iat", json!(NOW - 5)))).await.unwrap();
}

/// Before the first page nobody knows what was revoked: requests wait for it.
/// Proves: V16.5.2
#[tokio::test(start_paused = true)]
async fn the_first_page_is_waited_for() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.follower(RevocationFeed::public());
    let token = issuer.key.access_token(&claims());
    let waiting = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await.map(drop) }
    });
    issuer.asked_for_pages(1).await;
    issuer.show(&issuer.page(&[("session", "session_01h455vb4pex5vsknk084sn02s")]));
    assert_eq!(waiting.await.unwrap().unwrap_err(), Reason::Revoked.into());

    // None comes: after a while the answer is that nobody can tell.
    let silent = ScriptedIssuer::new();
    let verifier = silent.follower(RevocationFeed::public());
    let token = silent.key.access_token(&claims());
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Refusal::Unavailable(Unavailable::Revocations));
}

/// Proves: V16.5.2, S-31
#[tokio::test(start_paused = true)]
async fn without_news_tokens_are_taken_for_thirty_seconds_and_then_refused() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let token = issuer.key.access_token(&claims());
    issuer.clock.advance_seconds(30);
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(1);
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token).await.unwrap_err(), Refusal::Unavailable(Unavailable::Revocations));
    }
    // News, and all is as before.
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    verifier.verify(&token).await.unwrap();
}

/// A page that says of itself that it knows nothing new does not count as news.
#[tokio::test(start_paused = true)]
async fn an_issuer_that_lost_its_database_is_no_news() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let token = issuer.key.access_token(&claims());
    issuer.clock.advance_seconds(20);
    let mut page = issuer.page(&[]);
    page["as_of"] = json!(NOW * 1_000);
    issuer.show(&page);
    issuer.asked_for_pages(3).await;
    verifier.verify(&token).await.unwrap();
    issuer.clock.advance_seconds(11);
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Refusal::Unavailable(Unavailable::Revocations));
}

#[tokio::test(start_paused = true)]
async fn an_outage_can_be_borne_for_longer() {
    for (outage, seconds, is_good) in [
        (Outage::RefuseAfter(Duration::from_mins(2)), 120, true),
        (Outage::RefuseAfter(Duration::from_mins(2)), 121, false),
        (Outage::RefuseAfter(Duration::ZERO), 1, false),
        (Outage::Accept, 250, true),
    ] {
        let issuer = ScriptedIssuer::new();
        let verifier = issuer.follower(RevocationFeed::public().on_outage(outage));
        issuer.show(&issuer.page(&[]));
        issuer.asked_for_pages(2).await;
        issuer.clock.advance_seconds(seconds);
        assert_eq!(verifier.verify(&issuer.key.access_token(&claims())).await.is_ok(), is_good, "{outage:?}");
    }
}

/// Proves: V9.1.1, V9.2.2, A-121
#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_vouches_for_changes_nothing() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let token = issuer.key.access_token(&claims());
    let sid = "session_01h455vb4pex5vsknk084sn02s";
    let page = |name: &str, value: Value| {
        let mut page = issuer.page(&[("session", sid)]);
        page[name] = value;
        page
    };
    let header = json!({"alg": "ES256", "kid": "first", "typ": "doorward-revocations+jwt"});
    let good = page("x", json!(1));
    let stranger = Key::p256("first");
    let unsigned = format!("{}.", issuer.key.sign(&header, &good).rsplit_once('.').unwrap().0);
    let bad = [
        stranger.sign(&header, &good),
        unsigned,
        issuer.key.sign(&json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}), &good),
        issuer.key.sign(&json!({"alg": "ES256", "kid": "first"}), &good),
        issuer.key.sign(&header, &page("iss", json!("https://other.example"))),
        issuer.key.sign(&header, &page("iat", json!(NOW - 61))),
        issuer.key.sign(&header, &page("iat", json!(NOW + 61))),
        issuer.key.sign(&header, &page("revoked", json!([["session", "short", NOW]]))),
        issuer.key.sign(&header, &page("revoked", json!("all"))),
        issuer.key.sign(&header, &page("cursor", json!("a&wait=0"))),
        issuer.key.sign(&header, &page("cursor", json!("c".repeat(201)))),
        issuer.key.sign(&header, &page("more", json!("no"))),
        issuer.key.access_token(&claims()),
        String::new(),
        "{}".to_owned(),
    ];
    for (number, text) in bad.into_iter().enumerate() {
        let asked = issuer.count(FEED);
        issuer.show_text(text);
        issuer.asked_for_pages(asked + 1).await;
        assert!(verifier.verify(&token).await.is_ok(), "page {number}");
        assert_eq!(verifier.remembered_revocations(), 0, "page {number}");
    }
    // After all of that a good one counts.
    let asked = issuer.count(FEED);
    issuer.show(&good);
    issuer.asked_for_pages(asked + 1).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
}

/// Proves: V10.3.1
#[tokio::test(start_paused = true)]
async fn the_feed_is_asked_as_a_client_with_a_token_that_is_renewed() {
    let issuer = ScriptedIssuer::new();
    let _verifier = issuer.follower(RevocationFeed::with_secret("client id", "päss:wörd&"));
    issuer.asked_for_pages(1).await;
    let [token_request] = &issuer.requests("/oauth2/token")[..] else { panic!("one token is asked for") };
    // RFC 6749 section 2.3.1: "client+id" or "client%20id", and the secret without a colon of its own.
    let pair = "client%20id:p%C3%A4ss%3Aw%C3%B6rd%26";
    let expected = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair));
    assert_eq!(token_request.headers()[AUTHORIZATION], expected.as_str());
    assert!(token_request.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(&token_request.body()[..], b"grant_type=client_credentials&scope=doorward%3Arevocations");

    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(2).await;
    assert_eq!(issuer.count("/oauth2/token"), 1, "the token is used again");
    let page_request = issuer.requests(FEED).pop().unwrap();
    assert_eq!(page_request.headers()[AUTHORIZATION], "Bearer for-the-feed");
    assert_eq!(page_request.uri().query(), Some(&*format!("wait=10&cursor=c{}", NOW * 1_000)));

    // Before it ends, and when it is refused.
    issuer.clock.advance_seconds(271);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    assert_eq!(issuer.count("/oauth2/token"), 2);
    issuer.show_status(StatusCode::UNAUTHORIZED);
    issuer.asked_for_pages(4).await;
    assert_eq!(issuer.count("/oauth2/token"), 3);
    // A cursor that is not understood is given up.
    issuer.show_status(StatusCode::BAD_REQUEST);
    issuer.asked_for_pages(5).await;
    assert_eq!(issuer.requests(FEED).pop().unwrap().uri().query(), None);
}

/// Tokens that name keys nobody has do not keep the issuer's own new key from being fetched.
/// Proves
#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_holds_up_no_page() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let token = issuer.key.access_token(&claims());
    verifier.verify(&token).await.unwrap();
    let unknown = Key::p256("unknown").access_token(&claims());
    assert_eq!(verifier.verify(&unknown).await.unwrap_err(), Reason::UnknownKey.into());
    // The old key is stolen: a new one signs at once, and says so.
    let new = Key::p256("new");
    issuer.publish(&[&new]);
    let header = json!({"alg": "ES256", "kid": "new", "typ": "doorward-revocations+jwt"});
    issuer.show_text(new.sign(&header, &issuer.page(&[("key", "first")])));
    issuer.asked_for_pages(3).await;
    let refusal = verifier.verify(&token).await.unwrap_err();
    assert!([Reason::Revoked, Reason::UnknownKey].map(Refusal::Token).contains(&refusal), "{refusal}");
    verifier.verify(&new.access_token(&claims())).await.unwrap();
}

/// Only the last page of several says that everything is known.
#[tokio::test(start_paused = true)]
async fn pages_that_go_on_are_read_to_the_end() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.follower(RevocationFeed::public());
    let token = issuer.key.access_token(&claims());
    let mut first = issuer.page(&[("session", "another")]);
    first["more"] = json!(true);
    issuer.show(&first);
    issuer.asked_for_pages(2).await;
    let waiting = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    issuer.show(&issuer.page(&[("session", "session_01h455vb4pex5vsknk084sn02s")]));
    assert_eq!(waiting.await.unwrap().unwrap_err(), Reason::Revoked.into());
}

/// What is over is forgotten, and what is not is kept.
#[tokio::test(start_paused = true)]
async fn entries_are_kept_for_as_long_as_they_matter() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    issuer.show(&issuer.page(&[("session", "session_01h455vb4pex5vsknk084sn02s"), ("session", "another")]));
    issuer.asked_for_pages(3).await;
    assert_eq!(verifier.remembered_revocations(), 2);
    let token = issuer.key.access_token(&claims_with("exp", json!(NOW + 10_000)));
    // The issuer lists for 900 seconds, and a minute more is kept.
    issuer.clock.advance_seconds(960);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(4).await;
    assert_eq!(verifier.remembered_revocations(), 2);
    assert!(verifier.verify(&token).await.is_err());
    issuer.clock.advance_seconds(31);
    issuer.show(&issuer.page(&[("session", "a third")]));
    issuer.asked_for_pages(5).await;
    assert_eq!(verifier.remembered_revocations(), 1);
}

#[test]
fn revocations_are_followed_within_a_runtime() {
    let issuer = ScriptedIssuer::new();
    let followed = issuer.builder().issuer(our_issuer().follow(RevocationFeed::public()));
    assert!(followed.build().map(drop).unwrap_err().to_string().contains("runtime"));
}

/// The task that follows ends with the verifier.
#[tokio::test(start_paused = true)]
async fn nobody_follows_for_a_verifier_that_is_gone() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let clone = verifier.clone();
    drop(verifier);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    drop(clone);
    tokio::task::yield_now().await;
    issuer.show(&issuer.page(&[]));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(issuer.count(FEED), 3);
}

/// An issuer that answers at once without news, because too many wait or because it is going down, is asked once a second;
/// one with news ten times.
#[tokio::test(start_paused = true)]
async fn nobody_is_asked_all_the_time() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let asked = |pages: usize| issuer.asked_for_pages(pages);
    let began = tokio::time::Instant::now();
    for pages in 3..6 {
        issuer.show(&issuer.page(&[]));
        asked(pages).await;
    }
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    let began = tokio::time::Instant::now();
    for pages in 6..16 {
        issuer.show(&issuer.page(&[("session", "another")]));
        asked(pages).await;
    }
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    // Pages that are there already are not waited for.
    let mut more = issuer.page(&[]);
    more["more"] = json!(true);
    let began = tokio::time::Instant::now();
    issuer.show(&more);
    asked(16).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(verifier);
}
