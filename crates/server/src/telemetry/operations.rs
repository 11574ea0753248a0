//! The operations listener: `/livez`, `/readyz`, `/metrics`.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};

use super::health::Health;
use super::metering::Meters;
use super::process;

#[derive(Clone)]
struct Sources {
    health: Health,
    metrics: Meters,
}

/// What the operations listener serves.
pub fn router(health: Health, metrics: Meters) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .fallback(unknown)
        .with_state(Sources { health, metrics })
}

const NO_STORE: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "no-store");

/// The process runs and answers; nothing else is asked.
async fn live() -> impl IntoResponse {
    ([NO_STORE], "ok\n")
}

async fn ready(State(sources): State<Sources>) -> impl IntoResponse {
    let checks = sources.health.outcomes().await;
    let ok = checks.iter().all(|check| check.ok);
    let (status, word) = if ok { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    (status, [NO_STORE], Json(serde_json::json!({ "status": word, "checks": checks })))
}

async fn render(State(sources): State<Sources>) -> impl IntoResponse {
    let Some(metrics) = sources.metrics.handle() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], "starting\n").into_response();
    };
    process::measure();
    ([NO_STORE, (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

async fn unknown(_: Uri) -> impl IntoResponse {
    (StatusCode::NOT_FOUND, [NO_STORE], "not found\n")
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::ServiceExt as _;

    use super::*;
    use crate::shutdown::ShutdownSource;
    use crate::telemetry::health::ReadinessCheck;

    async fn answer(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn operations(checks: Vec<ReadinessCheck>) -> (Router, ShutdownSource) {
        let (source, shutdown) = ShutdownSource::new();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        (router(Health::new(checks, shutdown), metrics.into()), source)
    }

    /// Proves: S-102
    #[tokio::test]
    async fn a_lost_database_makes_the_process_unready_but_alive() {
        let works = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&works);
        let (router, _source) = operations(vec![ReadinessCheck::new("database", move || {
            let works = asked.load(Ordering::Relaxed);
            async move { if works { Ok(()) } else { Err("it does not answer") } }
        })]);
        assert_eq!(answer(&router, "/readyz").await.0, StatusCode::OK);
        works.store(false, Ordering::Relaxed);
        let (status, body) = answer(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#"{"name":"database","ok":false,"reason":"it does not answer"}"#), "{body}");
        assert_eq!(answer(&router, "/livez").await, (StatusCode::OK, "ok\n".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_a_failure_after_its_time_limit() {
        let (router, _source) = operations(vec![ReadinessCheck::new("database", pending)]);
        let (status, body) = answer(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("it takes too long"), "{body}");
    }

    /// Proves: S-74
    #[tokio::test]
    async fn a_draining_process_is_not_ready() {
        let (router, source) = operations(vec![]);
        assert_eq!(answer(&router, "/readyz").await.0, StatusCode::OK);
        source.drain();
        assert_eq!(answer(&router, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer(&router, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_show_the_process_and_nothing_else_is_served() {
        let (router, _source) = operations(vec![]);
        assert_eq!(answer(&router, "/metrics").await.0, StatusCode::OK);
        for path in ["/", "/login", "/api/v1/me", "/metrics/", "/debug/pprof"] {
            assert_eq!(answer(&router, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
