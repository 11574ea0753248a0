//! What happens, as metrics of the `metrics` facade (feature `metrics`).

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::observe::{FeedEvent, KeysEvent, Observer, TokenEvent};

/// Counts into whatever recorder the application installed:
///
/// | Metric | Labels | |
/// |---|---|---|
/// | `doorward_verify_tokens_total` | `outcome`: `verified`, `remembered`, `unavailable` or the reason of a refusal | tokens looked at |
/// | `doorward_verify_seconds` | `outcome`: `verified`, `remembered`, `refused` or `unavailable` | time that took |
/// | `doorward_verify_key_fetches_total` | `issuer`, `outcome`: `fetched`, `failed` | fetches of keys |
/// | `doorward_verify_keys` | `issuer` | keys that can be used |
/// | `doorward_verify_stale_keys_total` | `issuer` | uses of keys that are being renewed |
/// | `doorward_verify_unknown_keys_total` | `issuer` | tokens that name a key nobody knows |
/// | `doorward_verify_feed_lag_seconds` | `issuer` | age of what is known of revocations when it came |
/// | `doorward_verify_revocations` | `issuer` | revocations that are remembered |
/// | `doorward_verify_feed_failures_total` | `issuer` | failed attempts to read the feed |
/// | `doorward_verify_feed_lost_total` | `issuer` | times that nothing was known for too long |
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricsObserver;

impl Observer for MetricsObserver {
    fn token(&self, event: TokenEvent, took: Duration) {
        let (outcome, class) = match event {
            TokenEvent::Verified => ("verified", "verified"),
            TokenEvent::Remembered => ("remembered", "remembered"),
            TokenEvent::Refused(reason) => (reason.as_str(), "refused"),
            TokenEvent::Unavailable(_) => ("unavailable", "unavailable"),
        };
        counter!("doorward_verify_tokens_total", "outcome" => outcome).increment(1);
        histogram!("doorward_verify_seconds", "outcome" => class).record(took.as_secs_f64());
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; there are at most 64 keys")]
    fn keys(&self, issuer: &str, event: KeysEvent) {
        let issuer = issuer.to_owned();
        match event {
            KeysEvent::Fetched { keys, .. } => {
                gauge!("doorward_verify_keys", "issuer" => issuer.clone()).set(keys as f64);
                counter!("doorward_verify_key_fetches_total", "issuer" => issuer, "outcome" => "fetched").increment(1);
            }
            KeysEvent::FetchFailed => {
                counter!("doorward_verify_key_fetches_total", "issuer" => issuer, "outcome" => "failed").increment(1);
            }
            KeysEvent::ServedStale => counter!("doorward_verify_stale_keys_total", "issuer" => issuer).increment(1),
            KeysEvent::UnknownKey => counter!("doorward_verify_unknown_keys_total", "issuer" => issuer).increment(1),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; the list has fewer entries than that")]
    fn feed(&self, issuer: &str, event: FeedEvent) {
        let issuer = issuer.to_owned();
        match event {
            FeedEvent::Page { remembered, lag, .. } => {
                gauge!("doorward_verify_revocations", "issuer" => issuer.clone()).set(remembered as f64);
                gauge!("doorward_verify_feed_lag_seconds", "issuer" => issuer).set(lag.as_secs_f64());
            }
            FeedEvent::Failed => counter!("doorward_verify_feed_failures_total", "issuer" => issuer).increment(1),
            FeedEvent::Lost => counter!("doorward_verify_feed_lost_total", "issuer" => issuer).increment(1),
        }
    }
}
