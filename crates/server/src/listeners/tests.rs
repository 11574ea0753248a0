//! Real sockets on loopback. Timeouts are configured short; nothing here waits for a fixed time.

use std::time::Duration;

use axum::extract::{Extension, Request};
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::shutdown::ShutdownSource;

mod http2;
#[path = "tests/tls.rs"]
mod tls_files;

const SOON: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    source: ShutdownSource,
    ended: JoinHandle<usize>,
}

async fn start(router: Router, tls: Option<Arc<TlsFiles>>, limits: ListenerLimits) -> Running {
    let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
    let address = listeners.addresses()[0];
    let (source, shutdown) = ShutdownSource::new();
    Running { address, source, ended: tokio::spawn(listeners.serve(router, tls, limits, shutdown)) }
}

fn echo_peer() -> Router {
    Router::new().route("/", get(|Extension(peer): Extension<PeerAddress>| async move { peer.0.ip().to_string() }))
}

/// Short enough for a test, long enough for a busy machine to answer within.
fn short() -> ListenerLimits {
    ListenerLimits {
        header_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        ..ListenerLimits::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is the client")]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Everything until the other side closes; a reset counts as closed. Fails when it does not close.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset shows as an error after whatever was read.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut text)).await.expect("the server closes the connection");
    String::from_utf8_lossy(&text).into_owned()
}

async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = tokio::time::timeout(SOON, stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let running = start(echo_peer(), None, ListenerLimits::default()).await;
    let answer = ask(&mut connect(running.address).await, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
}

/// Proves: S-220, A-141
#[tokio::test]
async fn clients_that_send_nothing_or_half_a_head_are_closed() {
    let running = start(echo_peer(), None, short()).await;
    let mut clients = JoinSet::new();
    for beginning in ["", "G", "GET / HTTP/1.1\r\nx: ", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = connect(running.address).await;
        clients.spawn(async move {
            stream.write_all(beginning.as_bytes()).await.unwrap();
            let answer = until_closed(&mut stream).await;
            assert!(!answer.contains("200 OK"), "{beginning:?}: {answer}");
        });
    }
    clients.join_all().await;
    let answer = ask(&mut connect(running.address).await, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Proves: S-220
#[tokio::test]
async fn an_idle_connection_is_closed() {
    let running = start(echo_peer(), None, short()).await;
    let mut stream = connect(running.address).await;
    assert!(ask(&mut stream, REQUEST).await.starts_with("HTTP/1.1 200"));
    assert_eq!(until_closed(&mut stream).await, "");
}

/// Proves: S-220, A-141
#[tokio::test]
async fn a_kept_connection_waits_longer_for_the_next_request_than_for_the_rest_of_its_head() {
    let hour = Duration::from_hours(1);
    let limits = ListenerLimits { header_timeout: Duration::from_millis(500), idle_timeout: hour, ..short() };
    let running = start(echo_peer(), None, limits).await;
    let mut kept = connect(running.address).await;
    let mut half = connect(running.address).await;
    for stream in [&mut kept, &mut half] {
        assert!(ask(stream, REQUEST).await.starts_with("HTTP/1.1 200"));
    }
    half.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    // Each of these lives as long as a head may take.
    for _ in 0..3 {
        until_closed(&mut connect(running.address).await).await;
    }
    assert!(ask(&mut kept, REQUEST).await.starts_with("HTTP/1.1 200"), "between requests it may be silent");
    assert_eq!(until_closed(&mut half).await, "");
}

/// Proves: A-141
#[tokio::test]
async fn a_head_that_comes_byte_by_byte_gains_no_time() {
    // The other server's limit is the pace: each of its silent connections lives a fraction of the head's time.
    let pace = ListenerLimits { header_timeout: Duration::from_millis(50), ..ListenerLimits::default() };
    let pace = start(echo_peer(), None, pace).await;
    let limits = ListenerLimits { idle_timeout: Duration::from_hours(1), ..short() };
    let running = start(echo_peer(), None, limits).await;
    for beginning in ["", REQUEST] {
        let mut stream = connect(running.address).await;
        if !beginning.is_empty() {
            assert!(ask(&mut stream, beginning).await.starts_with("HTTP/1.1 200"));
        }
        let dripping = async {
            for byte in b"GET / HTTP/1.1\r\nx: ".iter().chain(std::iter::repeat(&b'x')) {
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
                until_closed(&mut connect(pace.address).await).await;
            }
        };
        tokio::time::timeout(SOON, dripping).await.expect("the server closes the connection");
    }
}

/// Tells when it is dropped.
struct Tell(Arc<Notify>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Always has more.
struct EndlessBody(#[expect(dead_code, reason = "held until the body is dropped")] Tell);

impl hyper::body::Body for EndlessBody {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<axum::body::Bytes>, std::convert::Infallible>>> {
        let piece = axum::body::Bytes::from_static(&[b'x'; 16 * 1024]);
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(piece))))
    }
}

/// Proves: A-141
#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_closed() {
    let dropped = Arc::new(Notify::new());
    let tell = Arc::clone(&dropped);
    // The request keeps a part of the connection's life: its extension is dropped with the body of the answer.
    let router = Router::new().route(
        "/",
        get(move || {
            let tell = Tell(Arc::clone(&tell));
            async move {
                let endless = EndlessBody(tell);
                axum::response::Response::new(axum::body::Body::new(endless))
            }
        }),
    );
    let running = start(router, None, short()).await;
    let mut stream = connect(running.address).await;
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    tokio::time::timeout(SOON, dropped.notified()).await.expect("the server gives the connection up");
}

/// Proves: S-220, A-141
#[tokio::test]
async fn a_connection_over_the_cap_is_closed_at_once_and_its_place_is_given_back() {
    // Without the cap, a silent connection would stay open for longer than this test waits.
    let header_timeout = Duration::from_hours(1);
    for (connections, connections_per_address) in [(100, 2), (2, 100)] {
        let limits =
            ListenerLimits { connections, connections_per_address, header_timeout, ..ListenerLimits::default() };
        let running = start(echo_peer(), None, limits).await;
        let mut first = connect(running.address).await;
        let mut second = connect(running.address).await;
        assert!(ask(&mut first, REQUEST).await.starts_with("HTTP/1.1 200"));
        assert!(ask(&mut second, REQUEST).await.starts_with("HTTP/1.1 200"));
        assert_eq!(until_closed(&mut connect(running.address).await).await, "");
        // Once the server has closed the first connection itself, its place is free for certain.
        ask(&mut first, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        until_closed(&mut first).await;
        tokio::time::timeout(SOON, until_admitted(running.address)).await.expect("the place is given back");
    }
}

async fn until_admitted(address: SocketAddr) {
    let mut answer = [0; 12];
    loop {
        let mut next = connect(address).await;
        // Over the cap, writing or reading fails; the place is given back a moment after the close is seen.
        if next.write_all(REQUEST.as_bytes()).await.is_ok() && next.read_exact(&mut answer).await.is_ok() {
            return assert_eq!(&answer, b"HTTP/1.1 200");
        }
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_and_the_server_goes_on() {
    let running = start(echo_peer(), None, ListenerLimits::default()).await;
    let long = "x".repeat(40_000);
    let many = "x-many: 1\r\n".repeat(150);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {long}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"), "431"),
        (format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), "431"),
        ("GET\0 / HTTP/1.1\r\n\r\n".to_owned(), "400"),
    ] {
        let mut stream = connect(running.address).await;
        // The server may answer and close before it has taken everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.is_empty(), "{status}: {answer}");
    }
    assert!(ask(&mut connect(running.address).await, REQUEST).await.starts_with("HTTP/1.1 200"));
}

/// Proves: V4.2.1
#[tokio::test]
async fn nothing_that_follows_a_chunked_request_is_read() {
    let running = start(echo_peer(), None, ListenerLimits::default()).await;
    let chunked = "GET / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut stream = connect(running.address).await;
    stream.write_all(format!("{chunked}{REQUEST}").as_bytes()).await.unwrap();
    let answers = until_closed(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    assert!(answers.starts_with("HTTP/1.1 200") && answers.contains("connection: close"), "{answers}");
}

struct Slow {
    router: Router,
    begun: Arc<Notify>,
    finish: Arc<Notify>,
}

fn slow() -> Slow {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (handler_begun, handler_finish) = (Arc::clone(&begun), Arc::clone(&finish));
    let router = Router::new().route(
        "/",
        get(move |_: Request| {
            let (begun, finish) = (Arc::clone(&handler_begun), Arc::clone(&handler_finish));
            async move {
                begun.notify_one();
                finish.notified().await;
                "finished"
            }
        }),
    );
    Slow { router, begun, finish }
}

#[tokio::test]
async fn a_request_that_takes_longer_than_idle_connections_live_is_not_cut() {
    let slow = slow();
    let running = start(slow.router, None, short()).await;
    let mut stream = connect(running.address).await;
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    slow.begun.notified().await;
    // Each of these lives as long as a connection may without a request.
    for _ in 0..3 {
        until_closed(&mut connect(running.address).await).await;
    }
    slow.finish.notify_one();
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
}

/// Proves: S-74
#[tokio::test]
async fn a_request_under_way_finishes_while_the_server_drains() {
    let slow = slow();
    let running = start(slow.router, None, ListenerLimits::default()).await;
    let mut stream = connect(running.address).await;
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    slow.begun.notified().await;
    let mut idle = connect(running.address).await;
    ask(&mut idle, "GET /unknown HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    running.source.drain();
    assert_eq!(until_closed(&mut idle).await, "");
    slow.finish.notify_one();
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
    assert_eq!(tokio::time::timeout(SOON, running.ended).await.unwrap().unwrap(), 0);
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let refused = TcpStream::connect(running.address).await;
    assert!(refused.is_err(), "nothing is accepted any more");
}

/// Proves: S-74
#[tokio::test]
async fn draining_is_bounded_and_a_second_signal_ends_at_once() {
    for (drain_timeout, ends) in [(Duration::from_millis(50), false), (Duration::from_hours(1), true)] {
        let slow = slow();
        let running = start(slow.router, None, ListenerLimits { drain_timeout, ..ListenerLimits::default() }).await;
        let mut stream = connect(running.address).await;
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        slow.begun.notified().await;
        running.source.drain();
        if ends {
            running.source.end();
        }
        let cut = tokio::time::timeout(SOON, running.ended).await.unwrap().unwrap();
        assert_eq!(cut, 1);
        assert_eq!(until_closed(&mut stream).await, "");
    }
}
