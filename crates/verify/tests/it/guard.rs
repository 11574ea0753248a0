//! Connections that outlive the check of their token.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use doorward_verify::{Ended, Guard, Issuer, Reason, Verifier};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::issuer::{AUDIENCE, NOW, ScriptedIssuer, URL, claims, claims_with, our_issuer};

struct Connection {
    guard: Arc<Guard>,
    ended: JoinHandle<Ended>,
}

async fn connect(issuer: &ScriptedIssuer, verifier: &Verifier) -> Connection {
    let token = verifier.verify(&issuer.key.access_token(&claims())).await.unwrap();
    let guard = Arc::new(verifier.guard(token));
    let watched = Arc::clone(&guard);
    let ended = tokio::spawn(async move { watched.ended().await });
    tokio::task::yield_now().await;
    Connection { guard, ended }
}

/// The revocation itself ends the connection: no time passes.
/// Proves: S-184, V7.4.1, V4.4.3
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_its_session_is_revoked() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let (first, second) = (connect(&issuer, &verifier).await, connect(&issuer, &verifier).await);
    issuer.show(&issuer.page(&[("session", "another"), ("grant", "another")]));
    issuer.asked_for_pages(3).await;
    assert!(!first.ended.is_finished());
    let before = tokio::time::Instant::now();
    issuer.show(&issuer.page(&[("session", "session_01h455vb4pex5vsknk084sn02s")]));
    for connection in [first, second] {
        assert_eq!(connection.ended.await.unwrap(), Ended::Revoked);
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!((Ended::Revoked.close_code(), Ended::Revoked.as_str()), (4401, "revoked"));
}

/// As a service writes it that sends events.
/// Proves: S-184
#[tokio::test(start_paused = true)]
async fn a_stream_of_events_ends_with_its_session() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let guard = verifier.guard(verifier.verify(&issuer.key.access_token(&claims())).await.unwrap());
    let mut events = pin!(futures_util::stream::repeat("tick").take_until(async move { guard.ended().await }));
    assert_eq!(events.next().await, Some("tick"));
    issuer.show(&issuer.page(&[("session", "session_01h455vb4pex5vsknk084sn02s")]));
    issuer.asked_for_pages(3).await;
    tokio::task::yield_now().await;
    while events.next().await.is_some() {
        tokio::task::yield_now().await;
    }
}

/// Proves: S-184
#[tokio::test(start_paused = true)]
async fn a_connection_ends_with_its_token_unless_a_new_one_comes() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let [renewed, left] = [connect(&issuer, &verifier).await, connect(&issuer, &verifier).await];
    issuer.clock.advance_seconds(294);
    let fresh = issuer.key.access_token(&claims_with("exp", json!(NOW + 600)));
    renewed.guard.renew(&fresh).await.unwrap();
    issuer.clock.advance_seconds(1);
    assert_eq!(left.ended.await.unwrap(), Ended::Expired);
    assert_eq!(Ended::Expired.close_code(), 4401);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(!renewed.ended.is_finished());
    assert_eq!(renewed.guard.token().expires_at(), NOW + 600);
    issuer.clock.advance_seconds(310);
    assert_eq!(renewed.ended.await.unwrap(), Ended::Expired);
}

/// Proves: S-184, A-125
#[tokio::test(start_paused = true)]
async fn a_connection_does_not_change_whom_it_belongs_to() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let connection = connect(&issuer, &verifier).await;
    let others: [(&str, Value); 5] = [
        ("sub", json!("user_2")),
        ("client_id", json!("client_2")),
        ("org_id", json!("org_2")),
        ("cnf", json!({"jkt": "thumbprint"})),
        ("sub", Value::Null),
    ];
    for (name, value) in others {
        let token = issuer.key.access_token(&claims_with(name, value));
        assert_eq!(connection.guard.renew(&token).await.unwrap_err(), Reason::Audience.into(), "{name}");
    }
    assert_eq!(connection.guard.renew("x").await.unwrap_err(), Reason::Malformed.into());
    let expired = issuer.key.access_token(&claims_with("exp", json!(NOW - 10)));
    assert_eq!(connection.guard.renew(&expired).await.unwrap_err(), Reason::Expired.into());
    // It goes on with what it had.
    assert!(!connection.ended.is_finished());
    assert_eq!(connection.guard.token().subject(), Some("user_01h455vb4pex5vsknk084sn02q"));
}

/// The same subject of another issuer is somebody else.
/// Proves: S-184, A-125
#[tokio::test(start_paused = true)]
async fn a_connection_stays_with_its_issuer() {
    let issuer = ScriptedIssuer::new();
    let other = Issuer::new("https://other.example").audience(AUDIENCE).jwks_uri(&format!("{URL}/keys"));
    let verifier = issuer.builder().issuer(our_issuer()).issuer(other).build().unwrap();
    let connection = connect(&issuer, &verifier).await;
    let theirs = issuer.key.access_token(&claims_with("iss", json!("https://other.example")));
    verifier.verify(&theirs).await.unwrap();
    assert_eq!(connection.guard.renew(&theirs).await.unwrap_err(), Reason::Audience.into());
}

/// What is revoked of the new token counts, and no longer what is revoked of the old one alone.
#[tokio::test(start_paused = true)]
async fn a_renewed_connection_follows_its_new_token() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let connection = connect(&issuer, &verifier).await;
    let mut new = claims_with("jti", json!("at_2"));
    new["sid"] = json!("session_2");
    connection.guard.renew(&issuer.key.access_token(&new)).await.unwrap();
    issuer.show(&issuer.page(&[("token", "at_01h455vb4pex5vsknk084sn02u")]));
    issuer.asked_for_pages(3).await;
    tokio::task::yield_now().await;
    assert!(!connection.ended.is_finished());
    issuer.show(&issuer.page(&[("session", "session_2")]));
    assert_eq!(connection.ended.await.unwrap(), Ended::Revoked);
}

/// Proves: V16.5.2
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_nobody_can_tell_any_longer() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let connection = connect(&issuer, &verifier).await;
    issuer.clock.advance_seconds(31);
    assert_eq!(connection.ended.await.unwrap(), Ended::Unavailable);
    assert_eq!(Ended::Unavailable.close_code(), 1013);
}

/// An issuer whose keys have not been had for a day: new requests are refused, and so is what is open.
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_no_key_is_believed_any_longer() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let token = issuer.key.access_token(&claims_with("exp", json!(NOW + 200_000)));
    let guard = verifier.guard(verifier.verify(&token).await.unwrap());
    issuer.set_down(true);
    issuer.clock.advance_seconds(24 * 3_600 + 1);
    assert_eq!(guard.ended().await, Ended::Unavailable);
}

/// Proves: A-124
#[tokio::test(start_paused = true)]
async fn a_connection_ends_when_its_key_is_gone() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let connection = connect(&issuer, &verifier).await;
    let second = crate::issuer::Key::p256("second");
    issuer.publish(&[&second]);
    issuer.clock.advance_seconds(40);
    // A token of the new key makes the verifier ask for keys.
    verifier.verify(&second.access_token(&claims())).await.unwrap();
    assert_eq!(connection.ended.await.unwrap(), Ended::Revoked);
}
