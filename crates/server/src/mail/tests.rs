//! Mail into files and to a scripted relay.

use std::os::unix::fs::PermissionsExt as _;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::configuration::Encryption;

mod protected;

const MESSAGE: Outgoing<'static> =
    Outgoing { id: "delivery_01h455vb4pex5vsknk084sn02q", to: "ada@example.com", eml: b"Subject: x\r\n\r\nhello\r\n" };

#[tokio::test]
async fn a_mail_file_is_complete_private_and_named_by_time_and_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = Configuration { data_dir: folder.path().to_owned(), ..Configuration::default() };
    MailTransport::open(&configuration).unwrap().send(MESSAGE).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path().join("mail")).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert!(name.starts_with("20") && name.ends_with("Z-delivery_01h455vb4pex5vsknk084sn02q.eml"), "{name}");
    assert_eq!(std::fs::read(files[0].path()).unwrap(), MESSAGE.eml);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let folder_mode = std::fs::metadata(folder.path().join("mail")).unwrap().permissions().mode();
    assert_eq!(folder_mode & 0o777, 0o700);
}

#[tokio::test]
async fn an_id_cannot_leave_the_mail_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileTransport::new(folder.path().join("mail"));
    files.send(Outgoing { id: "../../x/y", ..MESSAGE }).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(folder.path().join("mail")).unwrap().count(), 1);
}

/// A relay that answers each command by its first word and returns everything it was told.
async fn relay(listener: TcpListener, recipient_answer: &'static str) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut heard = Vec::new();
    writing.write_all(b"220 relay\r\n").await.unwrap();
    let mut in_data = false;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            _ if in_data && line == "." => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => "",
            "EHLO" => "250 relay",
            "RCPT" => recipient_answer,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        heard.push(line);
        if !answer.is_empty() && writing.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    heard
}

async fn relay_and_transport(
    encryption: Encryption,
    answer: &'static str,
) -> (tokio::task::JoinHandle<Vec<String>>, MailTransport) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut configuration = Configuration::default();
    configuration.mail.transport = Chosen::Smtp;
    configuration.mail.host = Some("127.0.0.1".to_owned());
    configuration.mail.port = Some(listener.local_addr().unwrap().port());
    configuration.mail.encryption = encryption;
    let transport = MailTransport::open(&configuration).unwrap();
    (tokio::spawn(relay(listener, answer)), transport)
}

/// Proves: A-63, V1.3.11
#[tokio::test]
async fn a_relay_gets_exactly_one_recipient_and_the_message_as_it_is() {
    let (relay, transport) = relay_and_transport(Encryption::None, "250 fine").await;
    transport.send(MESSAGE).await.unwrap();
    drop(transport);
    let heard = relay.await.unwrap();
    assert_eq!(heard.iter().filter(|line| line.starts_with("RCPT")).count(), 1, "{heard:?}");
    assert!(heard.iter().any(|line| line == "MAIL FROM:<doorward@localhost>"), "{heard:?}");
    assert!(heard.iter().any(|line| line == "RCPT TO:<ada@example.com>"), "{heard:?}");
    assert!(heard.iter().any(|line| line == "Subject: x") && heard.iter().any(|line| line == "hello"), "{heard:?}");
}

#[tokio::test]
async fn refusals_for_now_and_for_good_are_told_apart() {
    let (_relay, transport) = relay_and_transport(Encryption::None, "450 later").await;
    assert!(matches!(transport.send(MESSAGE).await, Err(MailError::Transient(_))));
    let (_relay, transport) = relay_and_transport(Encryption::None, "550 nobody").await;
    assert!(matches!(transport.send(MESSAGE).await, Err(MailError::Permanent(_))));
}

/// Proves: V12.3.1
#[tokio::test]
async fn nothing_is_sent_to_a_relay_that_offers_no_starttls() {
    let (relay, transport) = relay_and_transport(Encryption::Starttls, "250 fine").await;
    assert!(transport.send(MESSAGE).await.is_err());
    drop(transport);
    let heard = relay.await.unwrap();
    assert!(heard.iter().all(|line| !line.starts_with("MAIL") && !line.starts_with("AUTH")), "{heard:?}");
}

/// Proves: A-63, V1.3.11
#[tokio::test]
async fn an_address_with_a_line_break_is_refused_before_any_connection() {
    let (_relay, transport) = relay_and_transport(Encryption::None, "250 fine").await;
    for to in ["a@example.com\r\nRCPT TO:<b@example.com>", "a@example.com>", "a b@example.com", ""] {
        assert!(matches!(transport.send(Outgoing { to, ..MESSAGE }).await, Err(MailError::Permanent(_))), "{to:?}");
    }
}

#[test]
fn without_protection_only_a_relay_on_this_machine_will_do() {
    let mut configuration = Configuration::default();
    configuration.mail.transport = Chosen::Smtp;
    configuration.mail.encryption = Encryption::None;
    configuration.mail.host = Some("relay.example.com".to_owned());
    assert!(matches!(MailTransport::open(&configuration), Err(MailSetupError::Unencrypted)));
    configuration.mail.host = Some("localhost".to_owned());
    assert!(MailTransport::open(&configuration).is_ok());
}
