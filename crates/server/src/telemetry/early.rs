//! Metrics before the recorder is there. Building it calibrates a clock, which can take 200 ms of a core: too long to
//! wait for at start, so it happens beside the start, and what is counted meanwhile is kept and then handed over.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Level, Metadata, Recorder, SharedString,
    Unit,
};

/// The real recorder takes no notice of where a metric is used.
const METADATA: Metadata<'static> = Metadata::new("doorward", Level::INFO, None);

/// A change that was counted too early.
type Kept<R> = Box<dyn FnOnce(&R) + Send>;

/// Keeps changes until the real recorder takes over.
pub(super) struct EarlyRecorder<R>(Arc<State<R>>);

struct State<R> {
    real: OnceLock<R>,
    kept: Mutex<Vec<Kept<R>>>,
}

/// Stands for a [`Counter`], [`Gauge`] or [`Histogram`] (`H`) that was asked for too early.
struct EarlyHandle<R, H> {
    state: Arc<State<R>>,
    key: Key,
    find: fn(&R, &Key) -> H,
    /// The real recorder's handle for the same metric, from its first use on: looking it up costs more than using it.
    real: OnceLock<H>,
}

impl<R> Clone for EarlyRecorder<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Recorder> EarlyRecorder<R> {
    pub(super) fn new() -> Self {
        Self(Arc::new(State { real: OnceLock::new(), kept: Mutex::default() }))
    }

    /// From now on everything goes to the real recorder, what was kept first.
    pub(super) fn hand_over(&self, real: R) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for change in kept.drain(..) {
            change(&real);
        }
        // The lock is held until the recorder is in place, so nothing is kept after this.
        let _ = self.0.real.set(real);
    }
}

impl<R: 'static, H: 'static> EarlyHandle<R, H> {
    fn change(&self, change: impl FnOnce(&H) + Send + 'static) {
        if self.state.real.get().is_none() {
            let mut kept = self.state.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if self.state.real.get().is_none() {
                let (find, key) = (self.find, self.key.clone());
                kept.push(Box::new(move |real| change(&find(real, &key))));
                return;
            }
        }
        if let Some(real) = self.state.real.get() {
            change(self.real.get_or_init(|| (self.find)(real, &self.key)));
        }
    }
}

impl<R: 'static> CounterFn for EarlyHandle<R, Counter> {
    fn increment(&self, value: u64) {
        self.change(move |counter| counter.increment(value));
    }

    fn absolute(&self, value: u64) {
        self.change(move |counter| counter.absolute(value));
    }
}

impl<R: 'static> GaugeFn for EarlyHandle<R, Gauge> {
    fn increment(&self, value: f64) {
        self.change(move |gauge| gauge.increment(value));
    }

    fn decrement(&self, value: f64) {
        self.change(move |gauge| gauge.decrement(value));
    }

    fn set(&self, value: f64) {
        self.change(move |gauge| gauge.set(value));
    }
}

impl<R: 'static> HistogramFn for EarlyHandle<R, Histogram> {
    fn record(&self, value: f64) {
        self.change(move |histogram| histogram.record(value));
    }
}

impl<R: Recorder + Send + Sync + 'static> EarlyRecorder<R> {
    /// The real recorder's handle for `key` if it is there, or one that `early` makes of what stands for it.
    fn register<H>(&self, key: &Key, find: fn(&R, &Key) -> H, early: fn(Arc<EarlyHandle<R, H>>) -> H) -> H {
        let stand_in = || EarlyHandle { state: Arc::clone(&self.0), key: key.clone(), find, real: OnceLock::new() };
        self.0.real.get().map_or_else(|| early(Arc::new(stand_in())), |real| find(real, key))
    }
}

/// Descriptions are given after the hand-over.
impl<R: Recorder + Send + Sync + 'static> Recorder for EarlyRecorder<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if let Some(real) = self.0.real.get() {
            real.describe_counter(key, unit, description);
        }
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if let Some(real) = self.0.real.get() {
            real.describe_gauge(key, unit, description);
        }
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if let Some(real) = self.0.real.get() {
            real.describe_histogram(key, unit, description);
        }
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.register(key, |real, key| real.register_counter(key, &METADATA), Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.register(key, |real, key| real.register_gauge(key, &METADATA), Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.register(key, |real, key| real.register_histogram(key, &METADATA), Histogram::from_arc)
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn what_was_counted_before_the_recorder_is_there_is_not_lost() {
        let early = EarlyRecorder::new();
        metrics::with_local_recorder(&early, || {
            let kept_handle = metrics::counter!("requests_total", "code" => "200");
            kept_handle.increment(2);
            metrics::gauge!("open").increment(3.0);
            metrics::histogram!("seconds").record(0.5);
            let real = PrometheusBuilder::new().set_buckets(&[1.0]).unwrap().build_recorder();
            let render = real.handle();
            early.hand_over(real);
            kept_handle.increment(1);
            metrics::counter!("requests_total", "code" => "200").increment(1);
            metrics::gauge!("open").decrement(1.0);
            let text = render.render();
            for line in ["requests_total{code=\"200\"} 4", "open 2", "seconds_bucket{le=\"1\"} 1"] {
                assert!(text.contains(line), "{line} is missing in\n{text}");
            }
        });
    }
}
