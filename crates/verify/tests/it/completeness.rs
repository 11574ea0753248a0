//! How much of what was revoked an issuer says that it knows, and what of that is believed.

use doorward_verify::{Observer, Reason, RevocationFeed};
use serde_json::{Value, json};

use crate::issuer::{NOW, ScriptedIssuer, claims, claims_with, our_issuer};

fn page(issuer: &ScriptedIssuer, complete_since: i64) -> Value {
    let mut page = issuer.page(&[("session", "another")]);
    page["complete_since"] = json!(complete_since);
    page
}

/// Counts the pages that were not believed.
#[derive(Clone, Debug, Default)]
struct Failures(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Observer for Failures {
    fn feed(&self, _: &str, event: doorward_verify::FeedEvent) {
        if event == doorward_verify::FeedEvent::Failed {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

/// An issuer whose clock is wrong, or a page of whoever stole its key, would have every token refused for years.
/// Proves: A-121
#[tokio::test(start_paused = true)]
async fn a_page_that_claims_to_know_only_of_times_to_come_changes_nothing() {
    let (issuer, failures) = (ScriptedIssuer::new(), Failures::default());
    let followed = our_issuer().follow(RevocationFeed::public());
    let verifier = issuer.builder().observer(failures.clone()).issuer(followed).build().unwrap();
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(2).await;
    let token = issuer.key.access_token(&claims());
    for (number, complete_since) in [NOW + 121, NOW + 86_400, i64::MAX].into_iter().enumerate() {
        let asked = issuer.count("/oauth2/revocations");
        issuer.show(&page(&issuer, complete_since));
        issuer.asked_for_pages(asked + 1).await;
        verifier.verify(&token).await.unwrap();
        assert_eq!(verifier.remembered_revocations(), 0, "nothing of the page counts");
        assert_eq!(failures.0.load(std::sync::atomic::Ordering::SeqCst), number + 1);
    }
    // One that had to drop what is dated a little ahead says so, and is believed.
    let asked = issuer.count("/oauth2/revocations");
    issuer.show(&page(&issuer, NOW + 120));
    issuer.asked_for_pages(asked + 1).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
    issuer.clock.advance_seconds(120);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(asked + 2).await;
    verifier.verify(&issuer.key.access_token(&claims_with("iat", json!(NOW + 120)))).await.unwrap();
}

/// What was learned by clocks that ran ahead is no reason to refuse everything once they are right.
#[tokio::test(start_paused = true)]
async fn after_a_clock_was_set_back_the_feed_is_read_anew_and_tokens_are_good_again() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let (revoked, token) = ("session_01h455vb4pex5vsknk084sn02s", issuer.key.access_token(&claims()));
    issuer.clock.advance_seconds(86_400);
    issuer.show(&issuer.page(&[]));
    issuer.asked_for_pages(3).await;
    issuer.clock.advance_seconds(-86_400);
    assert!(verifier.verify(&token).await.is_err());
    issuer.show(&issuer.page(&[("session", "another")]));
    issuer.asked_for_pages(4).await;
    assert_eq!(issuer.requests("/oauth2/revocations").pop().unwrap().uri().query(), None, "from the beginning");
    verifier.verify(&token).await.unwrap();
    // What the beginning lists counts, and from there the feed goes on.
    issuer.show(&issuer.page(&[("session", revoked)]));
    issuer.asked_for_pages(5).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into());
    assert!(issuer.requests("/oauth2/revocations").pop().unwrap().uri().query().unwrap().contains("cursor="));
}

/// A node that dropped entries has said so for all that is read afterwards, at other nodes as well.
/// Proves: A-121
#[tokio::test(start_paused = true)]
async fn what_one_page_did_not_know_no_later_one_makes_known() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.following().await;
    let token = issuer.key.access_token(&claims());
    for (number, complete_since) in [(3, NOW - 5), (4, NOW - 900)] {
        issuer.show(&page(&issuer, complete_since));
        issuer.asked_for_pages(number).await;
        assert_eq!(verifier.verify(&token).await.unwrap_err(), Reason::Revoked.into(), "{number}");
    }
}
