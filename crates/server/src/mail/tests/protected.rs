//! Mail by TLS and STARTTLS to a relay in this process, with a certificate of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::{Configuration, Encryption, MESSAGE, MailError, MailTransport, Outgoing};
use crate::configuration::MailTransport as Chosen;

const PASSWORD: &str = "relay-password-of-its-own";

struct Relay {
    port: u16,
    /// The certificate, as the relay's owner gives it to its clients.
    pem: String,
    /// What it heard: in the open, and under protection.
    heard: JoinHandle<(Vec<String>, Vec<String>)>,
}

/// A relay named `name` that speaks TLS from the first byte, or after STARTTLS.
async fn relay(name: &str, encryption: Encryption) -> Relay {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut open = Vec::new();
        if encryption == Encryption::Starttls {
            open = converse(&mut stream, true, "250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN").await;
            if open.last().is_none_or(|line| line != "STARTTLS") {
                return (open, Vec::new());
            }
        }
        let protected = match acceptor.accept(stream).await {
            Ok(mut stream) => converse(&mut stream, encryption == Encryption::Tls, "250-relay\r\n250 AUTH PLAIN").await,
            Err(_) => Vec::new(),
        };
        (open, protected)
    });
    Relay { port, pem: made.cert.pem(), heard }
}

/// Answers each command by its first word until STARTTLS or the end; returns what was said.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, greets: bool, offers: &str) -> Vec<String> {
    // A small buffer of one line at a time: nothing of the handshake that follows STARTTLS is taken.
    let mut stream = BufReader::with_capacity(1, stream);
    let mut heard = Vec::new();
    if greets && stream.write_all(b"220 relay\r\n").await.is_err() {
        return heard;
    }
    let (mut in_data, mut line) = (false, String::new());
    while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
        let said = line.trim_end().to_owned();
        line.clear();
        let answer = match said.split([' ', ':']).next().unwrap_or_default() {
            _ if in_data && said == "." => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => "",
            "EHLO" => offers,
            "STARTTLS" => "220 go on",
            "AUTH" => "235 welcome",
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        let is_last = said == "STARTTLS";
        heard.push(said);
        if !answer.is_empty() && stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
        if is_last {
            break;
        }
    }
    // TLS keeps what is written until it is told.
    let _ = stream.flush().await;
    heard
}

struct Client {
    folder: tempfile::TempDir,
    configuration: Configuration,
}

impl Client {
    /// Knows the relay at this port by the name `localhost`, with credentials from a file.
    fn of(port: u16, encryption: Encryption) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut configuration = Configuration::default();
        configuration.mail.transport = Chosen::Smtp;
        configuration.mail.host = Some("localhost".to_owned());
        configuration.mail.port = Some(port);
        configuration.mail.encryption = encryption;
        configuration.mail.username = Some("doorward".to_owned());
        configuration.mail.password_file = Some(write(folder.path(), "password", &format!("{PASSWORD}\n")));
        Self { folder, configuration }
    }

    fn trusting(mut self, pem: &str) -> Self {
        self.configuration.mail.ca_certificate_file = Some(write(self.folder.path(), "ca.pem", pem));
        self
    }

    async fn send(&self, message: Outgoing<'_>) -> Result<(), MailError> {
        MailTransport::open(&self.configuration).unwrap().send(message).await
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    std::fs::write(folder.join(name), text).unwrap();
    folder.join(name)
}

/// Proves: V12.3.1, V13.3.1
#[tokio::test]
async fn a_protected_relay_gets_the_credentials_of_the_file_and_the_mail_and_nothing_goes_in_the_open() {
    for encryption in [Encryption::Tls, Encryption::Starttls] {
        let relay = relay("localhost", encryption).await;
        Client::of(relay.port, encryption).trusting(&relay.pem).send(MESSAGE).await.unwrap();
        let (open, protected) = relay.heard.await.unwrap();
        let said = |word: &str| protected.iter().any(|line| line.starts_with(word));
        let credentials = STANDARD.encode(format!("\0doorward\0{PASSWORD}"));
        assert!(said(&format!("AUTH PLAIN {credentials}")), "{protected:?}");
        assert!(said("MAIL FROM:<doorward@localhost>") && said("RCPT TO:<ada@example.com>") && said("hello"));
        match encryption {
            Encryption::Starttls => {
                assert!(open.len() == 2 && open[0].starts_with("EHLO") && open[1] == "STARTTLS", "{open:?}");
            }
            _ => assert_eq!(open, Vec::<String>::new()),
        }
    }
}

/// Proves: V12.3.1, V12.3.2
#[tokio::test]
async fn a_relay_with_the_wrong_certificate_gets_nothing() {
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    for encryption in [Encryption::Tls, Encryption::Starttls] {
        for (name, trusts) in [("localhost", None), ("localhost", Some(&other)), ("relay.example.com", None)] {
            let relay = relay(name, encryption).await;
            let client = Client::of(relay.port, encryption);
            // Of another name: the authority is the right one.
            let client = match trusts {
                Some(pem) => client.trusting(pem),
                None if name == "localhost" => client,
                None => client.trusting(&relay.pem),
            };
            let refused = client.send(MESSAGE).await;
            assert!(matches!(refused, Err(MailError::Transient(_))), "{name}: {refused:?}");
            let (open, protected) = relay.heard.await.unwrap();
            assert_eq!(protected, Vec::<String>::new());
            assert!(open.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{open:?}");
        }
    }
}

/// Proves: V12.3.1
#[tokio::test]
async fn a_relay_that_takes_back_its_offer_of_starttls_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        // Somebody in between removed the offer, and says yes to everything in the open.
        converse(&mut stream, true, "250-relay\r\n250 AUTH PLAIN").await
    });
    assert!(Client::of(port, Encryption::Starttls).send(MESSAGE).await.is_err());
    let heard = heard.await.unwrap();
    assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{heard:?}");
}
