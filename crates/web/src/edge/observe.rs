//! One log line and one set of metrics per request. Templates instead of paths: a path may hold a secret, and strangers
//! choose it.

use http::{Method, StatusCode};
use tokio::time::Instant;

use super::Arrival;
use super::context::RequestContext;
use crate::problem::Code;

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

    pub(crate) fn finish(&self, status: StatusCode, problem: Option<Code>, context: &RequestContext) {
        let elapsed = self.started.elapsed();
        let status_text = status.as_str();
        metrics::counter!(
            "http_requests_total",
            "route" => self.route,
            "method" => self.method,
            "status" => status_text.to_owned()
        )
        .increment(1);
        metrics::histogram!("http_request_seconds", "route" => self.route).record(elapsed.as_secs_f64());
        let problem = problem.map(Code::slug);
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
