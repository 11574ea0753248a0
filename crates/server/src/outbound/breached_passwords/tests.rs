//! The service as it should be, as it should not be, and as others pretend to be it.

use doorward_model::password::Password;
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::outbound::Authorities;

const PASSWORD: &str = "correct horse battery staple";

fn prefix() -> HashPrefix {
    HashPrefix::of(&Password::new(PASSWORD).unwrap())
}

/// Hears one request and says `answer`, whatever it was; then closes, or goes on for ever.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Vec<u8>, is_endless: bool) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        heard.push(stream.read_u8().await.unwrap());
    }
    // The client may have had enough.
    let mut is_listening = stream.write_all(&answer).await.is_ok();
    while is_endless && is_listening {
        is_listening = stream.write_all(&answer[answer.len() - 1000..]).await.is_ok();
    }
    // The client may be gone already.
    let _ = stream.shutdown().await;
    String::from_utf8(heard).unwrap()
}

/// A service at a free port that answers one request.
async fn one_answer(answer: Vec<u8>, is_endless: bool) -> (OutboundUrl, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = OutboundUrl::parse(&format!("http://{}/range", listener.local_addr().unwrap())).unwrap();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, answer, is_endless).await
    });
    (url, heard)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn ask(url: OutboundUrl) -> Result<Zeroizing<String>, NoAnswer> {
    BreachedPasswordService::new(url).unwrap().find_range(&prefix()).await
}

/// Proves: V6.2.12
#[tokio::test]
async fn five_digits_are_sent_and_padding_is_asked_for() {
    let lines = "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n";
    let (url, heard) = one_answer(answer("200 OK", lines), false).await;
    assert_eq!(*ask(url).await.unwrap(), lines);
    let heard = heard.await.unwrap().to_lowercase();
    let (line, headers) = heard.split_once("\r\n").unwrap();
    assert_eq!(line, format!("get /range/{} http/1.1", prefix().as_str().to_lowercase()));
    let mut names: Vec<_> = headers.trim_end().lines().map(|line| line.split_once(": ").unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["add-padding", "host", "user-agent"]);
    assert_eq!(names[0].1, "true");
    assert_eq!(prefix().as_str().len(), 5);
}

/// Proves: A-166, V15.3.2
#[tokio::test]
async fn what_is_no_answer_is_told_apart_and_bounded() {
    let large = answer("200 OK", &"0".repeat(MOST_BYTES + 1));
    let endless = b"HTTP/1.1 200 OK\r\n\r\n".iter().copied().chain([b'0'; 2000]).collect::<Vec<u8>>();
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0018A45C".to_vec();
    let not_text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe".to_vec();
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (said, is_endless, expected) in [
        (answer("500 Internal Server Error", "oh"), false, "Status(500)"),
        (answer("429 Too Many Requests", ""), false, "Status(429)"),
        (redirect, false, "Status(302)"),
        (large, false, "TooLarge"),
        (endless, true, "TooLarge"),
        (cut, false, "Connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), false, "Connection"),
        (Vec::new(), false, "Connection"),
        (not_text, false, "Unreadable"),
    ] {
        let (url, heard) = one_answer(said, is_endless).await;
        let none = ask(url).await.unwrap_err();
        assert!(format!("{none:?}").starts_with(expected), "{expected}: {none:?}");
        assert!(!format!("{none:?}").contains(prefix().as_str()), "{none:?}");
        heard.await.unwrap();
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = OutboundUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert!(matches!(ask(url).await, Err(NoAnswer::Connection(_))));
}

/// The clock stands still and jumps to the deadline when everybody waits.
#[tokio::test(start_paused = true)]
async fn a_service_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = OutboundUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    assert!(matches!(ask(url).await, Err(NoAnswer::TooLate)));
}

/// Proves: V12.3.2
#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..3 {
            let (stream, _) = listener.accept().await.unwrap();
            match acceptor.accept(stream).await {
                Ok(stream) => heard.push(serve(stream, answer("200 OK", "fine"), false).await),
                Err(_) => heard.push(String::new()),
            }
        }
        heard
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let limits = Limits { time: Duration::from_mins(1), bytes: 100, at_once: 1 };
    let ask = async |client: Client, host: &str| {
        let url = OutboundUrl::parse(&format!("https://{host}:{port}/")).unwrap();
        BreachedPasswordService { client, base: url }.find_range(&prefix()).await
    };
    assert!(matches!(ask(Client::new(limits).unwrap(), "localhost").await, Err(NoAnswer::Connection(_))));
    let authorities = Authorities { everywhere: roots, in_own_networks: None };
    let trusting = || Client::trusting(authorities.clone(), limits).unwrap();
    assert!(matches!(ask(trusting(), "127.0.0.1").await, Err(NoAnswer::Connection(_))), "the wrong name");
    assert_eq!(*ask(trusting(), "localhost").await.unwrap(), "fine");
    let heard = served.await.unwrap();
    assert_eq!((heard[0].as_str(), heard[1].as_str()), ("", ""), "nothing was said to strangers");
}

/// Proves: A-51
#[test]
fn requests_go_by_https_or_stay_on_this_machine() {
    for text in [
        "https://api.example.com",
        "https://api.example.com:8443/range/",
        "https://192.0.2.1/x",
        "http://localhost:3000/range",
        "http://127.0.0.1",
        "http://[::1]:80/",
    ] {
        assert!(OutboundUrl::parse(text).is_ok(), "{text}");
    }
    for text in [
        "http://api.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:word@api.example.com/",
        "https://api.example.com/?q=",
        "https://api.example.com/#x",
        "api.example.com",
        "",
    ] {
        assert_eq!(OutboundUrl::parse(text), Err(OutboundUrlError), "{text}");
    }
}
