//! One connection: HTTP/1.1 or HTTP/2 with every limit set, watched until it ends.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service as _;

use super::tracked::{Activity, TrackedBody};
use super::{ListenerLimits, PeerAddress};
use crate::shutdown::Shutdown;

/// Request line and headers together; a longer head is answered 431 by hyper.
const HEAD_BYTES: u32 = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// Requests at once on one HTTP/2 connection.
const CONCURRENT_STREAMS: u32 = 100;
/// Streams opened and reset before we looked at them (CVE-2023-44487, rapid reset).
const PENDING_RESETS: usize = 20;
/// Streams that we reset because of the client's errors (CVE-2025-8671, made you reset).
const CAUSED_RESETS: usize = 256;

/// Which protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Not said beforehand: the first bytes decide.
    Either,
    /// HTTP/1.1, agreed by ALPN.
    Http1,
    /// HTTP/2, agreed by ALPN.
    Http2,
}

/// Prepared settings for each protocol.
pub(super) struct Protocols {
    either: Builder<TokioExecutor>,
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
}

impl Protocols {
    pub(super) fn new(limits: &ListenerLimits) -> Self {
        Self { either: builder(limits), http1: builder(limits).http1_only(), http2: builder(limits).http2_only() }
    }

    fn of(&self, protocol: Protocol) -> &Builder<TokioExecutor> {
        match protocol {
            Protocol::Either => &self.either,
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        }
    }
}

fn builder(limits: &ListenerLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEAD_BYTES as usize)
        .max_headers(MAX_HEADERS)
        .half_close(false)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES)
        .max_concurrent_streams(CONCURRENT_STREAMS)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(CAUSED_RESETS)
        .max_frame_size(16 * 1024)
        // Bodies are small: these windows hold the largest one and bound what a client can make us keep.
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// Everything a connection needs besides its bytes.
pub(super) struct Surroundings<'a> {
    pub(super) router: &'a Router,
    pub(super) protocols: &'a Protocols,
    pub(super) limits: &'a ListenerLimits,
    pub(super) shutdown: &'a Shutdown,
}

/// Drives a connection until it ends by itself, has been idle for too long, or the process drains.
pub(super) async fn drive<IO>(io: IO, peer: SocketAddr, protocol: Protocol, around: Surroundings<'_>)
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Activity::new();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        let running = activity.begin();
        // A router is always ready: it has no capacity of its own.
        let answer = around.router.clone().call(request);
        async move {
            let answer: Response<TrackedBody> = answer.await?.map(|body| running.body(body));
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut connection = pin!(around.protocols.of(protocol).serve_connection(TokioIo::new(io), service));
    let (first_request, idle) = (around.limits.header_timeout, around.limits.idle_timeout);
    let mut watch = pin!(tokio::time::sleep_until(activity.deadline(first_request, idle)));
    loop {
        tokio::select! {
            // How a connection ends (reset, timeout, malformed bytes) is the client's affair and counted by nobody.
            _ = connection.as_mut() => return,
            () = around.shutdown.draining() => break,
            () = watch.as_mut() => {
                let deadline = activity.deadline(first_request, idle);
                if deadline <= tokio::time::Instant::now() {
                    break;
                }
                watch.as_mut().reset(deadline);
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    if around.shutdown.is_draining() {
        // The listener bounds how long this may take.
        let _ = connection.await;
    } else {
        let _ = tokio::time::timeout(first_request, connection).await;
    }
}
