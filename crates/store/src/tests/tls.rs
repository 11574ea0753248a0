//! Each `sslmode` accepts and refuses the right servers. The server here speaks just enough of the protocol to
//! reach the end of the handshake; it then refuses the password, which tells that TLS was accepted.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

use crate::{PostgresOptions, Store, StoreError};

/// The code of a password that was refused: the handshake was not.
const REACHED_THE_SERVER: &str = "28P01";
const REFUSED_BY_TLS: &str = "tls";

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let paths = (self.folder.path().join(format!("{name}.pem")), self.folder.path().join(format!("{name}.key")));
        std::fs::write(&paths.0, certificate.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        paths
    }
}

fn roots(path: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
    roots
}

/// Serves one connection with TLS; asks for a client certificate of `clients` when given.
fn serve_tls(authority: &Authority, name: &str, clients: Option<&Authority>) -> (u16, JoinHandle<()>) {
    let (certificate, key) = authority.issue(name);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&clients.file())), provider).build().unwrap(),
        ),
    };
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap();
    serve(b'S', move |mut socket| {
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        refuse_password(&mut Stream::new(&mut tls, &mut socket));
    })
}

/// Serves one connection without TLS.
fn serve_plain() -> (u16, JoinHandle<()>) {
    serve(b'N', |mut socket| refuse_password(&mut socket))
}

fn serve(answer: u8, rest: impl FnOnce(std::net::TcpStream) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        socket.read_exact(&mut request).unwrap();
        assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "the client must ask for TLS first");
        socket.write_all(&[answer]).unwrap();
        rest(socket);
    });
    (port, server)
}

/// Reads the start-up message and answers that the password is wrong. Either side may hang up before that.
fn refuse_password(stream: &mut (impl Read + Write)) {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    let _ = stream.read_exact(&mut message);
    let fields = b"SFATAL\0C28P01\0Mno\0\0";
    let mut answer = vec![b'E'];
    answer.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
    answer.extend(fields);
    let _ = stream.write_all(&answer).and_then(|()| stream.flush());
}

/// The code of the error that connecting ends with.
fn connect(port: u16, parameters: &str) -> String {
    let url = format!("postgres://user:pw@db.test:{port}/d?hostaddr=127.0.0.1&{parameters}");
    match Store::open_postgres(&url, &PostgresOptions::default()) {
        Err(StoreError::Database(fault)) => fault.code().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn outcome(server_name: &str, issuer: &Authority, parameters: &str) -> String {
    let (port, server) = serve_tls(issuer, server_name, None);
    let code = connect(port, parameters);
    server.join().unwrap();
    code
}

/// Proves: V12.3.2, V12.3.4
#[test]
fn verify_full_wants_the_right_authority_and_the_right_name() {
    let (ours, other) = (Authority::new(), Authority::new());
    let parameters = format!("sslmode=verify-full&sslrootcert={}", ours.file().display());
    assert_eq!(outcome("db.test", &ours, &parameters), REACHED_THE_SERVER);
    assert_eq!(outcome("other.test", &ours, &parameters), REFUSED_BY_TLS);
    assert_eq!(outcome("db.test", &other, &parameters), REFUSED_BY_TLS);
    // Without a file only the public authorities are trusted.
    assert_eq!(outcome("db.test", &ours, "sslmode=verify-full"), REFUSED_BY_TLS);
}

#[test]
fn verify_ca_wants_the_right_authority_for_any_name() {
    let (ours, other) = (Authority::new(), Authority::new());
    let parameters = format!("sslmode=verify-ca&sslrootcert={}", ours.file().display());
    assert_eq!(outcome("other.test", &ours, &parameters), REACHED_THE_SERVER);
    assert_eq!(outcome("db.test", &other, &parameters), REFUSED_BY_TLS);
}

#[test]
fn require_checks_an_authority_only_when_given_one() {
    let (ours, other) = (Authority::new(), Authority::new());
    assert_eq!(outcome("other.test", &other, "sslmode=require"), REACHED_THE_SERVER);
    let parameters = format!("sslmode=require&sslrootcert={}", ours.file().display());
    assert_eq!(outcome("db.test", &other, &parameters), REFUSED_BY_TLS);
}

#[test]
fn only_prefer_goes_on_without_tls() {
    for (mode, expected) in [("prefer", REACHED_THE_SERVER), ("require", "driver"), ("verify-full", "driver")] {
        let (port, server) = serve_plain();
        assert_eq!(connect(port, &format!("sslmode={mode}")), expected, "{mode}");
        server.join().unwrap();
    }
}

#[test]
fn a_client_certificate_is_shown_when_configured() {
    let (ours, clients) = (Authority::new(), Authority::new());
    let (certificate, key) = clients.issue("client");
    let root = format!("sslmode=verify-full&sslrootcert={}", ours.file().display());
    let with = format!("{root}&sslcert={}&sslkey={}", certificate.display(), key.display());
    let (port, server) = serve_tls(&ours, "db.test", Some(&clients));
    assert_eq!(connect(port, &with), REACHED_THE_SERVER);
    server.join().unwrap();
    let (port, server) = serve_tls(&ours, "db.test", Some(&clients));
    assert_ne!(connect(port, &root), REACHED_THE_SERVER);
    server.join().unwrap();
}

#[test]
fn an_unreadable_certificate_file_is_told_at_start() {
    for parameter in ["sslrootcert", "sslcert=/missing&sslkey"] {
        assert_eq!(connect(1, &format!("sslmode=verify-full&{parameter}=/missing")), REFUSED_BY_TLS);
    }
}
