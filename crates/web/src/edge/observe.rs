//! One log line and one set of metrics per request. Templates instead of paths: a path may hold a secret, and strangers
//! choose it.

use std::sync::{Mutex, OnceLock, PoisonError};

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use tokio::time::Instant;

use super::Arrival;
use super::context::RequestContext;

/// The metrics of one arrival, looked up once: a look-up costs more than everything else that is measured here.
#[derive(Default)]
pub(crate) struct Meters {
    /// By method and status; few ever occur on one route.
    requests: Mutex<Vec<(&'static str, StatusCode, Counter)>>,
    seconds: OnceLock<Histogram>,
}

impl Meters {
    fn count(&self, observed: &Observed, status: StatusCode) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let known = requests.iter().find(|(method, code, _)| *method == observed.method && *code == status);
        if let Some((_, _, counter)) = known {
            return counter.increment(1);
        }
        let counter = metrics::counter!(
            "http_requests_total",
            "route" => observed.route,
            "method" => observed.method,
            "status" => status.as_str().to_owned()
        );
        counter.increment(1);
        requests.push((observed.method, status, counter));
    }

    fn record(&self, observed: &Observed, seconds: f64) {
        let histogram =
            self.seconds.get_or_init(|| metrics::histogram!("http_request_seconds", "route" => observed.route));
        histogram.record(seconds);
    }
}

/// Why an application's request was refused, in the words of OAuth: an answer that is no [`Problem`](crate::problem::Problem)
/// has this among its extensions, so that log and metrics say it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusedWith(pub(crate) &'static str);

/// What is said about a request when it is answered.
pub(crate) struct Observed {
    method: &'static str,
    route: &'static str,
    /// For durations only; no decision depends on it.
    started: Instant,
}

impl Observed {
    pub(crate) fn begin(method: &Method, arrival: &Arrival) -> Self {
        let route = match arrival {
            Arrival::Route(route) | Arrival::OtherMethod { path: route, .. } => route.path,
            Arrival::Nowhere => "unmatched",
        };
        Self { method: method_label(method), route, started: Instant::now() }
    }

    pub(crate) fn span(&self, context: &RequestContext) -> tracing::Span {
        tracing::info_span!("request", request.id = %context.request_id, http.route = self.route)
    }

    pub(crate) fn finish(
        &self,
        meters: &Meters,
        status: StatusCode,
        problem: Option<&'static str>,
        context: &RequestContext,
    ) {
        let elapsed = self.started.elapsed();
        meters.count(self, status);
        meters.record(self, elapsed.as_secs_f64());
        if let Some(code) = problem {
            metrics::counter!("http_problems_total", "route" => self.route, "code" => code).increment(1);
        }
        tracing::info!(
            http.method = self.method,
            http.route = self.route,
            http.status = status.as_u16(),
            duration_ms = elapsed.as_secs_f64() * 1000.0,
            problem.code = problem,
            request.id = %context.request_id,
            client.address = context.address.map(tracing::field::display),
            "request"
        );
    }
}

/// Strangers can make up methods; labels are a closed set.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
