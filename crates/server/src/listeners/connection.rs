//! One connection: HTTP/1.1 or HTTP/2 with every limit set, watched until it ends.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service as _;

use super::head::HeadGuard;
use super::tracked::{Activity, Patience, TrackedBody, TrackedIo};
use super::{ListenerLimits, PeerAddress};
use crate::shutdown::Shutdown;

/// Request line and headers together. The edge refuses smaller heads already, with a problem document; hyper refuses what
/// is larger than this, with a bare 431.
const HEAD_BYTES: u32 = 32 * 1024;
/// More than the edge allows, for the same reason.
const MAX_HEADERS: usize = 128;
/// Requests at once on one HTTP/2 connection.
const CONCURRENT_STREAMS: u32 = 100;
/// Streams opened and reset before we looked at them (CVE-2023-44487, rapid reset).
const PENDING_RESETS: usize = 20;
/// Streams that we reset because of the client's errors (CVE-2025-8671, made you reset).
const CAUSED_RESETS: usize = 256;
/// How long a connection that is given up may take to say so (TLS `close_notify`, HTTP/2 `GOAWAY`).
const LAST_WORDS: Duration = Duration::from_secs(1);

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
    pub(super) fn new() -> Self {
        Self { either: builder(), http1: builder().http1_only(), http2: builder().http2_only() }
    }

    fn of(&self, protocol: Protocol) -> &Builder<TokioExecutor> {
        match protocol {
            Protocol::Either => &self.either,
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // It would cover the time between requests too; `Activity` tells the two apart.
        .header_read_timeout(None)
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
        let closes = must_close_after(&request);
        // A router is always ready: it has no capacity of its own.
        let answer = around.router.clone().call(request);
        async move {
            let mut answer: Response<TrackedBody> = answer.await?.map(|body| running.body(body));
            if closes {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let guard = if protocol == Protocol::Http2 { HeadGuard::open() } else { HeadGuard::new() };
    let io = TokioIo::new(TrackedIo::new(io, &activity, guard));
    let mut connection = pin!(around.protocols.of(protocol).serve_connection(io, service));
    let patience = Patience { head: around.limits.header_timeout, idle: around.limits.idle_timeout };
    let mut watch = pin!(tokio::time::sleep_until(activity.deadline(patience)));
    loop {
        tokio::select! {
            // The connection comes first: what it does is what the deadline depends on.
            biased;
            // How a connection ends (reset, timeout, malformed bytes) is the client's affair and counted by nobody.
            _ = connection.as_mut() => return,
            () = around.shutdown.draining() => break,
            deadline = activity.sooner(watch.deadline(), patience) => watch.as_mut().reset(deadline),
            () = watch.as_mut() => {
                let deadline = activity.deadline(patience);
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
        let _ = tokio::time::timeout(LAST_WORDS, connection).await;
    }
}

/// Whether nothing more may be read from this connection: after chunks, `HeadGuard` does not know where the next head
/// begins.
fn must_close_after(request: &Request<Incoming>) -> bool {
    request.version() < Version::HTTP_2 && request.headers().contains_key(TRANSFER_ENCODING)
}
