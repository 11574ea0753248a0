use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use doorward_app::outbound::{ClientDocuments as _, NoDocument};
use http::Request;
use http_body_util::Full;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::outbound::client::{Client, Limits, OutboundError, OutboundUrl};
use crate::outbound::client_documents::FetchedDocuments;
use crate::outbound::reach::Reach;

/// A server whose certificate is its own authority.
struct Server {
    certificate: CertificateDer<'static>,
    pem: String,
    acceptor: TlsAcceptor,
}

impl Server {
    fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self {
            certificate: made.cert.der().clone(),
            pem: made.cert.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Answers if the other side believes us; gives back the connection, which stays open until it is dropped.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Option<TlsStream<S>> {
        let mut stream = self.acceptor.accept(stream).await.ok()?;
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n\r\n") {
            heard.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        stream.shutdown().await.unwrap();
        Some(stream)
    }
}

fn trusting(file: Option<PathBuf>) -> FetchedDocuments {
    let mut configuration = Configuration::default();
    configuration.applications.ca_certificate_file = file;
    let networks = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
    FetchedDocuments::new(networks, Authorities::of_applications(&configuration).unwrap()).unwrap()
}

/// Proves: V12.3.2
#[tokio::test]
async fn applications_of_the_operators_own_authority_are_believed_where_it_is_named() {
    let server = Server::new("localhost");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &server.pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}/jwks", listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        assert!(server.serve(stream).await.is_none(), "a stranger is not spoken to");
        let (stream, _) = listener.accept().await.unwrap();
        assert!(server.serve(stream).await.is_some());
    });
    assert!(matches!(trusting(None).fetch(&address).await, Err(NoDocument::Connection(_))));
    assert_eq!(trusting(Some(file)).fetch(&address).await.unwrap(), b"{}");
    serving.await.unwrap();
}

/// Proves: V12.3.4
#[tokio::test]
async fn the_operators_own_authority_has_no_say_outside_the_operators_networks() {
    let (public, own) = (Server::new("app.example"), Server::new("app.example"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &own.pem).unwrap();
    let mut everywhere = RootCertStore::empty();
    everywhere.add(public.certificate.clone()).unwrap();
    let authorities = Authorities { everywhere, in_own_networks: None }.with_own(&file).unwrap();
    let limits = Limits { time: Duration::from_mins(1), bytes: 100, at_once: 1 };
    let networks = || vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()];
    let url = OutboundUrl::parse_whole("https://app.example/jwks").unwrap();
    // In this order with one client, so that a session of the same name inside is no way in outside.
    let client = Client::reaching(Reach::Public(networks()), authorities.clone(), limits).unwrap();
    let anywhere = Client::trusting(authorities, limits).unwrap();
    for (client, address, is_own) in [
        (&client, "10.1.2.3", true),
        (&client, "::ffff:10.1.2.3", true),
        (&client, "fd00:1::1", true),
        (&client, "9.9.9.9", false),
        (&client, "::ffff:9.9.9.9", false),
        (&client, "2620:fe::9", false),
        (&client, "10.2.0.1", false),
        (&anywhere, "10.1.2.3", false),
    ] {
        let address: IpAddr = address.parse().unwrap();
        for (server, is_believed) in [(&own, is_own), (&public, true)] {
            let (near, far) = tokio::io::duplex(16 * 1024);
            let request = Request::get("/jwks").body(Full::default()).unwrap();
            let (answered, connection) = tokio::join!(client.converse(near, address, &url, request), server.serve(far));
            assert_eq!(connection.is_some(), is_believed, "{address}");
            match answered {
                Ok((_, body)) => assert!(is_believed && body == "{}", "{address}"),
                Err(OutboundError::Connect(_)) => assert!(!is_believed, "{address}"),
                Err(other) => unreachable!("{address}: {other}"),
            }
        }
    }
}

#[test]
fn a_file_without_authorities_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let mut configuration = Configuration::default();
    configuration.applications.ca_certificate_file = Some(file.clone());
    let read = || Authorities::of_applications(&configuration);
    assert!(matches!(read(), Err(AuthoritiesError::Unreadable { .. })), "there is none");
    for text in ["", "no certificate"] {
        std::fs::write(&file, text).unwrap();
        assert!(matches!(read(), Err(AuthoritiesError::Unreadable { .. })), "{text:?}");
    }
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(matches!(read(), Err(AuthoritiesError::Unusable { .. })));
}
