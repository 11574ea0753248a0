//! SIGHUP on a running server with built-in TLS.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::{SOON, Server, doorward};

type Identity = rcgen::CertifiedKey<rcgen::KeyPair>;

fn identity() -> Identity {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

fn write(folder: &Path, identity: &Identity) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(folder.join("tls.pem"), identity.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), identity.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(folder.join("tls.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Whether a new connection to the server shows this certificate.
fn shows(server: &Server, identity: &Identity) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(identity.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let stream = TcpStream::connect(&server.public).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // The handshake is done by the first byte that is written.
    StreamOwned::new(client, stream).write_all(b"GET / HTTP/1.1\r\n").is_ok()
}

/// Proves: A-174
#[test]
fn a_hang_up_takes_a_new_certificate_and_leaves_the_old_one_when_it_is_bad() {
    let (folder, old, new) = (tempfile::tempdir().unwrap(), identity(), identity());
    write(folder.path(), &old);
    let settings =
        "public_url = \"https://localhost:8443\"\n[tls]\ncertificate_file = \"tls.pem\"\nkey_file = \"tls.key\"\n";
    std::fs::write(folder.path().join("doorward.toml"), settings).unwrap();
    let check = doorward(folder.path()).arg("check").output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", crate::text(&check.stdout));
    let mut server = Server::start(folder.path());
    assert!(shows(&server, &old) && !shows(&server, &new));

    // Nothing has changed: only the signal makes the server read the files again.
    server.signal("-HUP");
    let mut said = server.wait_for("the certificate in the file is the one in use");
    assert!(shows(&server, &old));

    write(folder.path(), &new);
    server.signal("-HUP");
    said.extend(server.wait_for("a changed certificate is in use"));
    assert!(shows(&server, &new) && !shows(&server, &old));

    std::fs::write(folder.path().join("tls.key"), "no key").unwrap();
    server.signal("-HUP");
    said.extend(server.wait_for("the certificate cannot be used; the old one stays"));
    assert!(shows(&server, &new));
    assert!(!said.iter().any(|message| message == "a changed certificate is in use"), "once: {said:?}");
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));
}
