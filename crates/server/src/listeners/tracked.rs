//! What a connection is doing: requests under way, answers under way, half a head, or nothing; and since when.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::head::HeadGuard;

/// Shared by the driver of a connection, its bytes, its requests and the bodies of its answers.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    requests: u64,
    /// Requests whose answer is not known yet.
    running: usize,
    /// Answers whose body is not taken yet.
    answering: usize,
    /// When anything last moved.
    moved: Instant,
    /// When the head of the next HTTP/1.1 request began to arrive.
    head: Option<Instant>,
}

/// How long a connection is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until the head of a request is complete, from its first byte; of the first request, from the beginning.
    pub(super) head: Duration,
    /// Between requests, or while an answer is not taken.
    pub(super) idle: Duration,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let state = State { requests: 0, running: 0, answering: 0, moved: Instant::now(), head: None };
        Arc::new(Self(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the beginning of a request; it lasts until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        let mut state = self.lock();
        state.requests += 1;
        state.running += 1;
        state.moved = Instant::now();
        state.head = None;
        drop(state);
        Running(Arc::clone(self))
    }

    /// Half a head is there.
    fn wait_for_head(&self) {
        self.lock().head.get_or_insert_with(Instant::now);
    }

    /// When the connection is to be given up if nothing happens before.
    pub(super) fn deadline(&self, patience: Patience) -> Instant {
        let state = self.lock();
        match state.head {
            // The total time of a request is bounded where requests are routed.
            _ if state.running > 0 => Instant::now() + patience.idle,
            _ if state.requests == 0 => state.moved + patience.head,
            // A head that came during the request before it has its time from the answer on.
            Some(begun) if state.answering == 0 => begun.max(state.moved) + patience.head,
            _ => state.moved + patience.idle,
        }
    }

    /// Resolves when half a head makes the deadline earlier than `known`. To be polled after the connection, by the
    /// same task: only the connection's own progress can change it, so nobody needs to wake it.
    pub(super) async fn sooner(&self, known: Instant, patience: Patience) -> Instant {
        poll_fn(|_| {
            let deadline = self.deadline(patience);
            if deadline < known { Poll::Ready(deadline) } else { Poll::Pending }
        })
        .await
    }
}

/// One request whose answer is not known yet.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Running {
    pub(super) fn body(&self, inner: Body) -> TrackedBody {
        self.0.lock().answering += 1;
        TrackedBody { inner, activity: Arc::clone(&self.0) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running = state.running.saturating_sub(1);
        state.moved = Instant::now();
    }
}

/// The body of an answer; taking a piece of it counts as movement, so a client that stops reading goes idle.
#[derive(Debug)]
pub(super) struct TrackedBody {
    inner: Body,
    activity: Arc<Activity>,
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.answering = state.answering.saturating_sub(1);
        state.moved = Instant::now();
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        if polled.is_ready() {
            this.activity.lock().moved = Instant::now();
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

/// The bytes of a connection; tells when half a head is there, and lets no head through that has two readings.
pub(super) struct TrackedIo<IO> {
    inner: IO,
    activity: Arc<Activity>,
    guard: HeadGuard,
}

impl<IO> TrackedIo<IO> {
    pub(super) fn new(inner: IO, activity: &Arc<Activity>, guard: HeadGuard) -> Self {
        Self { inner, activity: Arc::clone(activity), guard }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for TrackedIo<IO> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, into);
        if let Some(arrived) = into.filled_mut().get_mut(before..).filter(|arrived| !arrived.is_empty()) {
            self.guard.look_at(arrived);
            if self.guard.is_inside_head() {
                self.activity.wait_for_head();
            }
        }
        polled
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for TrackedIo<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
