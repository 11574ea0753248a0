//! What a connection is doing: requests under way, and when anything last moved.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// Shared by the driver of a connection, its requests and the bodies of its answers.
#[derive(Debug)]
pub(super) struct Activity {
    requests: AtomicU64,
    running: AtomicUsize,
    moved: Mutex<Instant>,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { requests: AtomicU64::new(0), running: AtomicUsize::new(0), moved: Mutex::new(Instant::now()) })
    }

    fn touch(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Marks the beginning of a request; it lasts until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        self.touch();
        Running(Arc::clone(self))
    }

    /// When the connection is to be given up if nothing happens before.
    pub(super) fn deadline(&self, first_request: Duration, idle: Duration) -> Instant {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        if self.running.load(Ordering::Relaxed) > 0 {
            // The total time of a request is bounded where requests are routed.
            return Instant::now() + idle;
        }
        moved + if self.requests.load(Ordering::Relaxed) == 0 { first_request } else { idle }
    }
}

/// One request whose answer is not known yet.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Running {
    pub(super) fn body(&self, inner: Body) -> TrackedBody {
        TrackedBody { inner, activity: Arc::clone(&self.0) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

/// The body of an answer; taking a piece of it counts as movement, so a client that stops reading goes idle.
#[derive(Debug)]
pub(super) struct TrackedBody {
    inner: Body,
    activity: Arc<Activity>,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        if polled.is_ready() {
            this.activity.touch();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
