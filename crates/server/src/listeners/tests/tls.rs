//! TLS: versions, certificates that change, and what is no TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;

use super::super::tls;
use super::{ListenerLimits, REQUEST, SocketAddr, TlsFiles, connect, echo_peer, start, until_closed};

type Identity = rcgen::CertifiedKey<rcgen::KeyPair>;

fn identity() -> Identity {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

fn client(
    trusted: &Identity,
    alpn: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
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
    for (file, text) in [(&files.0, identity.cert.pem()), (&files.1, identity.signing_key.serialize_pem())] {
        // A file of its own beside the old one: its time alone may be the same within a tick of the clock.
        let fresh = folder.join("fresh");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(&fresh, file).unwrap();
    }
    files
}

/// Proves: V12.1.1, A-174, S-225
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

/// Proves: A-174, S-264
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
    std::fs::write(&certificate, new.cert.pem()).unwrap();
    assert!(matches!(tls.reload_if_changed(), Err(tls::TlsError::Mismatch(_))));
    assert!(!tls.reload_if_changed().unwrap(), "the same bad files are not tried again");
    assert!(handshake(running.address, &trusts_old).await.is_ok());

    std::fs::write(&key, new.signing_key.serialize_pem()).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert!(handshake(running.address, &trusts_new).await.is_ok());
    assert!(handshake(running.address, &trusts_old).await.is_err());

    std::fs::remove_file(&key).unwrap();
    assert!(matches!(tls.reload_if_changed(), Err(tls::TlsError::File { .. })));
    assert!(handshake(running.address, &trusts_new).await.is_ok());
}

/// Proves: A-174
#[tokio::test]
async fn a_change_is_told_once_whoever_finds_it() {
    let (folder, old, new) = (tempfile::tempdir().unwrap(), identity(), identity());
    let (certificate, key) = write(folder.path(), &old);
    let tls = TlsFiles::open(&certificate, &key).unwrap();
    assert!(!tls.reload().unwrap(), "nothing has changed");

    write(folder.path(), &new);
    assert!(tls.reload().unwrap());
    assert!(!tls.reload_if_changed().unwrap(), "those who look hear nothing of what was asked for");
    write(folder.path(), &old);
    assert!(tls.reload_if_changed().unwrap());
    assert!(!tls.reload().unwrap(), "and the other way round");
    write(folder.path(), &old);
    assert!(!tls.reload_if_changed().unwrap(), "the same certificate in a new file is no other");

    std::fs::write(&key, "no key").unwrap();
    assert!(tls.reload().is_err());
    assert!(!tls.reload_if_changed().unwrap(), "nor of a failure");
    assert!(tls.reload().is_err(), "who asks again hears it again");
}

/// Proves, V4.1.2
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
