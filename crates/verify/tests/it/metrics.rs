//! What is counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use doorward_verify::{MetricsObserver, RevocationFeed};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key as Name, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;

use crate::issuer::{Key, ScriptedIssuer, claims, claims_with, our_issuer};

#[derive(Default)]
struct Sum(AtomicU64);

impl HistogramFn for Sum {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Remembers every metric by its name and labels; of a histogram how many values there were.
#[derive(Default)]
struct Book {
    numbers: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    sums: Mutex<BTreeMap<String, Arc<Sum>>>,
}

fn name(key: &Name) -> String {
    let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Name, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.numbers.lock().unwrap().entry(name(key)).or_default()))
    }
    fn register_gauge(&self, key: &Name, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.numbers.lock().unwrap().entry(name(key)).or_default()))
    }
    fn register_histogram(&self, key: &Name, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(self.sums.lock().unwrap().entry(name(key)).or_default()))
    }
}

/// Tokens by outcome and reason, the time each took, keys, and the feed; never a part of a token.
/// Proves: V16.2.5
#[tokio::test(start_paused = true)]
async fn what_happens_is_counted_by_its_kind() {
    let book = Book::default();
    let guard = metrics::set_default_local_recorder(&book);
    let issuer = ScriptedIssuer::new();
    let builder = issuer.builder().observer(MetricsObserver);
    let verifier = builder.issuer(our_issuer().follow(RevocationFeed::public())).build().unwrap();
    issuer.show(&issuer.page(&[("session", "another")]));
    issuer.asked_for_pages(2).await;
    let token = issuer.key.access_token(&claims());
    for _ in 0..3 {
        verifier.verify(&token).await.unwrap();
    }
    for bad in [issuer.key.access_token(&claims_with("exp", json!(5))), "x".to_owned(), "y".to_owned()] {
        verifier.verify(&bad).await.unwrap_err();
    }
    let unknown = Key::p256("unknown").access_token(&claims());
    for _ in 0..2 {
        verifier.verify(&unknown).await.unwrap_err();
    }
    drop(guard);

    let numbers = book.numbers.lock().unwrap();
    let count = |name: &str| numbers.get(name).map(|number| number.load(Ordering::SeqCst));
    for (outcome, times) in [("verified", 1), ("remembered", 2), ("expired", 1), ("malformed", 2), ("unknown_key", 2)] {
        let name = format!("doorward_verify_tokens_total{{outcome={outcome}}}");
        assert_eq!(count(&name), Some(times), "{outcome}");
    }
    let of_issuer = |name: &str| count(&format!("{name}{{issuer=https://auth.example.com}}"));
    assert_eq!(of_issuer("doorward_verify_revocations"), Some(1.0_f64.to_bits()));
    assert_eq!(of_issuer("doorward_verify_keys"), Some(1.0_f64.to_bits()));
    assert_eq!(of_issuer("doorward_verify_feed_lag_seconds"), Some(0));
    let sums = book.sums.lock().unwrap();
    let timed = |class: &str| sums[&format!("doorward_verify_seconds{{outcome={class}}}")].0.load(Ordering::SeqCst);
    assert_eq!([timed("verified"), timed("remembered"), timed("refused")], [1, 2, 5]);
    let parts: Vec<&str> = token.split('.').collect();
    assert!(!numbers.keys().chain(sums.keys()).any(|name| parts.iter().any(|part| name.contains(part))));
}
