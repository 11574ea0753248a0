//! Metrics before the recorder is there. Building it calibrates a clock, which can take 200 ms of a core: too long to
//! wait for at start, so it happens beside the start, and what is counted meanwhile is kept and then handed over.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Level, Metadata, Recorder, SharedString,
    Unit,
};

/// The real recorder takes no notice of where a metric is used.
const METADATA: Metadata<'static> = Metadata::new("doorward", Level::INFO, None);

#[derive(Clone, Copy)]
enum Change {
    Count(u64),
    CountTo(u64),
    Raise(f64),
    Lower(f64),
    Set(f64),
    Record(f64),
}

/// Keeps changes until the real recorder takes over.
pub(super) struct EarlyRecorder<R>(Arc<State<R>>);

struct State<R> {
    real: OnceLock<R>,
    kept: Mutex<Vec<(Key, Change)>>,
}

struct EarlyHandle<R> {
    state: Arc<State<R>>,
    key: Key,
    /// The real recorder's handle for the same metric, from its first use on: looking it up costs more than using it.
    real: OnceLock<RealHandle>,
}

enum RealHandle {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl RealHandle {
    fn find<R: Recorder>(real: &R, key: &Key, change: Change) -> Self {
        match change {
            Change::Count(_) | Change::CountTo(_) => Self::Counter(real.register_counter(key, &METADATA)),
            Change::Raise(_) | Change::Lower(_) | Change::Set(_) => Self::Gauge(real.register_gauge(key, &METADATA)),
            Change::Record(_) => Self::Histogram(real.register_histogram(key, &METADATA)),
        }
    }

    fn apply(&self, change: Change) {
        match (self, change) {
            (Self::Counter(counter), Change::Count(by)) => counter.increment(by),
            (Self::Counter(counter), Change::CountTo(to)) => counter.absolute(to),
            (Self::Gauge(gauge), Change::Raise(by)) => gauge.increment(by),
            (Self::Gauge(gauge), Change::Lower(by)) => gauge.decrement(by),
            (Self::Gauge(gauge), Change::Set(to)) => gauge.set(to),
            (Self::Histogram(histogram), Change::Record(value)) => histogram.record(value),
            // A handle is made for the kind of change it gets, and gets no other.
            _ => {}
        }
    }
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
        for (key, change) in kept.drain(..) {
            RealHandle::find(&real, &key, change).apply(change);
        }
        // The lock is held until the recorder is in place, so nothing is kept after this.
        let _ = self.0.real.set(real);
    }
}

impl<R: Recorder> EarlyHandle<R> {
    fn change(&self, change: Change) {
        if self.state.real.get().is_none() {
            let mut kept = self.state.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if self.state.real.get().is_none() {
                kept.push((self.key.clone(), change));
                return;
            }
        }
        if let Some(real) = self.state.real.get() {
            self.real.get_or_init(|| RealHandle::find(real, &self.key, change)).apply(change);
        }
    }
}

impl<R: Recorder> CounterFn for EarlyHandle<R> {
    fn increment(&self, value: u64) {
        self.change(Change::Count(value));
    }

    fn absolute(&self, value: u64) {
        self.change(Change::CountTo(value));
    }
}

impl<R: Recorder> GaugeFn for EarlyHandle<R> {
    fn increment(&self, value: f64) {
        self.change(Change::Raise(value));
    }

    fn decrement(&self, value: f64) {
        self.change(Change::Lower(value));
    }

    fn set(&self, value: f64) {
        self.change(Change::Set(value));
    }
}

impl<R: Recorder> HistogramFn for EarlyHandle<R> {
    fn record(&self, value: f64) {
        self.change(Change::Record(value));
    }
}

impl<R: Recorder + Send + Sync + 'static> EarlyRecorder<R> {
    fn handle(&self, key: &Key) -> Arc<EarlyHandle<R>> {
        Arc::new(EarlyHandle { state: Arc::clone(&self.0), key: key.clone(), real: OnceLock::new() })
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

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.0
            .real
            .get()
            .map_or_else(|| Counter::from_arc(self.handle(key)), |real| real.register_counter(key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.real.get().map_or_else(|| Gauge::from_arc(self.handle(key)), |real| real.register_gauge(key, metadata))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.0
            .real
            .get()
            .map_or_else(|| Histogram::from_arc(self.handle(key)), |real| real.register_histogram(key, metadata))
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
