//! The client before servers of this process.

use http::{Method, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

const LIMITS: Limits = Limits { body_bytes: 100, time: Duration::from_mins(1) };

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request without a body and returns it.
async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        heard.push(byte);
    }
    String::from_utf8(heard).unwrap()
}

/// Answers one request, then says nothing more and keeps the connection.
async fn answer_one(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &str) -> String {
    let heard = hear(stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    heard
}

/// A server for one connection, which stays open until the task is dropped.
async fn serve(answer: impl Into<String>) -> (String, JoinHandle<()>) {
    let (listener, port) = listen().await;
    let answer = answer.into();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer_one(&mut stream, &answer).await;
        std::future::pending::<()>().await;
    });
    (format!("http://127.0.0.1:{port}/keys"), task)
}

fn get(address: &str) -> Request<Bytes> {
    Request::get(address).body(Bytes::new()).unwrap()
}

async fn ask(address: &str) -> Result<Response<Bytes>, ClientError> {
    HyperClient::new().unwrap().send(get(address), LIMITS).await
}

fn body(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(length))
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_head() {
    let (address, _server) =
        serve("HTTP/1.1 203 Fine\r\ncache-control: max-age=60\r\ncontent-length: 4\r\n\r\nfine").await;
    let answer = ask(&address).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NON_AUTHORITATIVE_INFORMATION);
    assert_eq!(answer.headers()["cache-control"], "max-age=60");
    assert_eq!(answer.body(), "fine");
}

#[tokio::test]
async fn what_is_sent_is_the_request_and_nothing_else() {
    let (listener, port) = listen().await;
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer_one(&mut stream, "HTTP/1.1 204 No Content\r\n\r\n").await
    });
    let request = Request::builder().method(Method::GET).uri(format!("http://127.0.0.1:{port}/a?b=c"));
    let request = request.header("authorization", "Bearer t").body(Bytes::new()).unwrap();
    assert!(HyperClient::new().unwrap().send(request, LIMITS).await.is_ok());
    let expected = format!("GET /a?b=c HTTP/1.1\r\nauthorization: Bearer t\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    assert_eq!(heard.await.unwrap(), expected);
}

/// Proves: S-3
#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let (address, _server) = serve(body(LIMITS.body_bytes)).await;
    assert_eq!(ask(&address).await.unwrap().body().len(), LIMITS.body_bytes);
    let (address, _server) = serve(body(LIMITS.body_bytes + 1)).await;
    assert_eq!(ask(&address).await.err(), Some(ClientError::TooLong));
    // Chunks that never end, behind no length.
    let (address, _server) =
        serve(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n65\r\n{}\r\n", "x".repeat(0x65))).await;
    assert_eq!(ask(&address).await.err(), Some(ClientError::TooLong));
    // A head that never ends.
    let (address, _server) = serve(format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(HEAD_BYTES))).await;
    assert_eq!(ask(&address).await.err(), Some(ClientError::Connection));
    let many = "x: y\r\n".repeat(HEADERS + 1);
    let (address, _server) = serve(format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")).await;
    assert_eq!(ask(&address).await.err(), Some(ClientError::Connection));
}

/// The clock stands still and jumps to the deadline when everybody waits.
///
/// Proves: S-3
#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_to_an_end_is_given_up() {
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"] {
        let (address, _server) = serve(begun).await;
        let began = tokio::time::Instant::now();
        assert_eq!(ask(&address).await.err(), Some(ClientError::Timeout), "{begun:?}");
        assert_eq!(began.elapsed(), LIMITS.time, "{begun:?}");
    }
}

/// Proves: S-3, A-119
#[tokio::test]
async fn a_redirect_is_answered_and_not_followed() {
    let (listener, elsewhere) = listen().await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://127.0.0.1:{elsewhere}/");
        let (address, _server) =
            serve(format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!(ask(&address).await.unwrap().status().as_u16(), status);
    }
    let waiting = std::pin::pin!(listener.accept());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.poll(&mut context).is_pending(), "nobody came");
}

/// Proves: A-119
#[tokio::test]
async fn only_https_and_this_machine_are_spoken_to() {
    for address in [
        "http://id.example/keys",
        "http://192.0.2.1/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://localhost@evil.example/keys",
        "ftp://localhost/keys",
        "/keys",
    ] {
        assert_eq!(ask(address).await.err(), Some(ClientError::Address), "{address}");
    }
}

#[tokio::test]
async fn where_nobody_answers_is_no_connection() {
    let (listener, port) = listen().await;
    drop(listener);
    assert_eq!(ask(&format!("http://127.0.0.1:{port}/")).await.err(), Some(ClientError::Connection));
    let (address, _server) = serve("SSH-2.0-OpenSSH\r\n").await;
    assert_eq!(ask(&address).await.err(), Some(ClientError::Connection));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            answer_one(&mut stream, &body(1)).await;
        }
    });
    let client = HyperClient::new().unwrap();
    for _ in 0..3 {
        assert!(client.clone().send(get(&format!("http://127.0.0.1:{port}/")), LIMITS).await.is_ok());
    }
    server.await.unwrap();
}

/// An authority and a server that it vouches for under one name.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Answers every connection and says what it heard on each, up to `count`.
    async fn serve(&self, name: &str, count: usize) -> (u16, JoinHandle<Vec<String>>) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            let mut heard = Vec::new();
            for _ in 0..count {
                let (stream, _) = listener.accept().await.unwrap();
                heard.push(match acceptor.accept(stream).await {
                    Ok(mut stream) => answer_one(&mut stream, &body(1)).await,
                    Err(_) => String::new(),
                });
            }
            heard
        });
        (port, server)
    }
}

/// Proves: V12.3.2
#[tokio::test]
async fn a_server_must_show_a_certificate_of_a_trusted_authority_for_its_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (port, server) = authority.serve("localhost", 5).await;
    let trusting = |authority: &Authority| HyperClient::builder().trust_pem(authority.issuer.pem().as_bytes()).unwrap();
    let by_der = HyperClient::builder().without_public_authorities().trust_der(authority.issuer.der()).unwrap();
    for (client, host, expected) in [
        (HyperClient::builder(), "localhost", Err(ClientError::Connection)),
        (trusting(&other), "localhost", Err(ClientError::Connection)),
        (trusting(&authority), "127.0.0.1", Err(ClientError::Connection)),
        (trusting(&authority), "localhost", Ok(StatusCode::OK)),
        (by_der, "localhost", Ok(StatusCode::OK)),
    ] {
        let answer = client.build().unwrap().send(get(&format!("https://{host}:{port}/")), LIMITS).await;
        assert_eq!(answer.map(|answer| answer.status()), expected);
    }
    let heard = server.await.unwrap();
    assert_eq!(heard[..3], [""; 3], "nothing was said to strangers");
}

#[test]
fn what_is_no_certificate_is_a_mistake() {
    for pem in ["", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(HyperClient::builder().trust_pem(pem.as_bytes()).err(), Some(TlsError::Certificate), "{pem}");
    }
    let key = KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(HyperClient::builder().trust_pem(key.as_bytes()).err(), Some(TlsError::Certificate));
    assert_eq!(HyperClient::builder().trust_der(b"text").err(), Some(TlsError::Certificate));
    assert_eq!(HyperClient::builder().without_public_authorities().build().err(), Some(TlsError::NoRoots));
}
