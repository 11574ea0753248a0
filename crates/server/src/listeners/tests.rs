//! Real sockets on loopback. Timeouts are configured short; nothing here waits for a fixed time.

use std::time::Duration;

use axum::extract::{Extension, Request};
use axum::routing::get;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::shutdown::ShutdownSource;

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
    let hour = Duration::from_hours(1);
    let limits = ListenerLimits { connections_per_address: 2, header_timeout: hour, ..ListenerLimits::default() };
    let running = start(echo_peer(), None, limits).await;
    let mut first = connect(running.address).await;
    let mut second = connect(running.address).await;
    assert!(ask(&mut first, REQUEST).await.starts_with("HTTP/1.1 200"));
    assert!(ask(&mut second, REQUEST).await.starts_with("HTTP/1.1 200"));
    assert_eq!(until_closed(&mut connect(running.address).await).await, "");
    // Once the server has closed the first connection itself, its place is free for certain.
    ask(&mut first, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    until_closed(&mut first).await;
    tokio::time::timeout(SOON, async {
        loop {
            let mut next = connect(running.address).await;
            // Over the cap, writing or reading fails; the place is given back a moment after the close is seen.
            let mut answer = [0; 12];
            if next.write_all(REQUEST.as_bytes()).await.is_ok() && next.read_exact(&mut answer).await.is_ok() {
                assert_eq!(&answer, b"HTTP/1.1 200");
                return;
            }
        }
    })
    .await
    .expect("the place is given back");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_and_the_server_goes_on() {
    let running = start(echo_peer(), None, ListenerLimits::default()).await;
    let long = "x".repeat(20_000);
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

struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: String,
}

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    Identity { certificate: made.cert.der().clone(), pem: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

fn client(
    trusted: &Identity,
    alpn: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    // A resumed session would not show which certificate is in use.
    config.resumption = rustls::client::Resumption::disabled();
    tokio_rustls::TlsConnector::from(Arc::new(config))
}

/// The protocols agreed on; an error when the handshake fails.
async fn handshake(address: SocketAddr, connector: &tokio_rustls::TlsConnector) -> std::io::Result<(String, String)> {
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), connect(address).await).await?;
    let session = stream.get_ref().1;
    let alpn = String::from_utf8_lossy(session.alpn_protocol().unwrap_or_default()).into_owned();
    Ok((alpn, format!("{:?}", session.protocol_version().unwrap())))
}

fn write(folder: &std::path::Path, identity: &Identity) -> (std::path::PathBuf, std::path::PathBuf) {
    let files = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&files.0, &identity.pem).unwrap();
    std::fs::write(&files.1, &identity.key).unwrap();
    files
}

/// Proves: V12.1.1, A-174
#[tokio::test]
async fn tls_speaks_1_2_and_1_3_and_agrees_on_http_2_first() {
    let (folder, own) = (tempfile::tempdir().unwrap(), identity());
    let (certificate, key) = write(folder.path(), &own);
    let tls = Arc::new(TlsFiles::open(&certificate, &key).unwrap());
    let running = start(echo_peer(), Some(tls), ListenerLimits::default()).await;
    let both: &[&[u8]] = &[b"http/1.1", b"h2"];
    for (versions, alpn, agreed, version) in [
        ([&rustls::version::TLS13], both, "h2", "TLSv1_3"),
        ([&rustls::version::TLS12], both, "h2", "TLSv1_2"),
        ([&rustls::version::TLS13], &[b"http/1.1"], "http/1.1", "TLSv1_3"),
    ] {
        let seen = handshake(running.address, &client(&own, alpn, &versions)).await.unwrap();
        assert_eq!(seen, (agreed.to_owned(), version.to_owned()));
    }
}

/// Proves: A-174
#[tokio::test]
async fn a_changed_certificate_is_taken_up_and_a_bad_one_leaves_the_old_in_use() {
    let (folder, old, new) = (tempfile::tempdir().unwrap(), identity(), identity());
    let (certificate, key) = write(folder.path(), &old);
    let tls = Arc::new(TlsFiles::open(&certificate, &key).unwrap());
    let running = start(echo_peer(), Some(Arc::clone(&tls)), ListenerLimits::default()).await;
    let versions = [&rustls::version::TLS13];
    let (trusts_old, trusts_new) = (client(&old, &[], &versions), client(&new, &[], &versions));
    assert!(handshake(running.address, &trusts_old).await.is_ok());
    assert!(handshake(running.address, &trusts_new).await.is_err());
    assert!(!tls.reload_if_changed().unwrap());

    // Half a renewal: the certificate is new, the key is not.
    std::fs::write(&certificate, &new.pem).unwrap();
    assert!(matches!(tls.reload_if_changed(), Err(tls::TlsError::Mismatch(_))));
    assert!(!tls.reload_if_changed().unwrap(), "the same bad files are not tried again");
    assert!(handshake(running.address, &trusts_old).await.is_ok());

    std::fs::write(&key, &new.key).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert!(handshake(running.address, &trusts_new).await.is_ok());
    assert!(handshake(running.address, &trusts_old).await.is_err());

    std::fs::remove_file(&key).unwrap();
    assert!(matches!(tls.reload_if_changed(), Err(tls::TlsError::File { .. })));
    assert!(handshake(running.address, &trusts_new).await.is_ok());
}

/// Proves
#[tokio::test]
async fn plain_http_and_silence_on_the_tls_port_are_closed_without_an_answer() {
    let (folder, own) = (tempfile::tempdir().unwrap(), identity());
    let (certificate, key) = write(folder.path(), &own);
    let tls = Arc::new(TlsFiles::open(&certificate, &key).unwrap());
    let limits = ListenerLimits { handshake_timeout: Duration::from_millis(300), ..ListenerLimits::default() };
    let running = start(echo_peer(), Some(tls), limits).await;
    for beginning in [REQUEST, ""] {
        let mut stream = connect(running.address).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        assert!(!until_closed(&mut stream).await.contains("HTTP/"));
    }
}

#[test]
fn a_private_key_is_never_quoted_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let own = identity();
    let (certificate, key) = write(folder.path(), &own);
    std::fs::write(&key, "-----BEGIN hunter2\nhunter2\n").unwrap();
    let error = TlsFiles::open(&certificate, &key).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
