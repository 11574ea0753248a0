//! Outgoing mail: finished messages, to files or to a relay.

mod file;
mod smtp;

use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use thiserror::Error;

use crate::configuration::secret_file::SecretFileError;
use crate::configuration::{Configuration, MailTransport as Chosen};

pub use self::file::FileTransport;
pub use self::smtp::SmtpTransport;

/// One step of the conversation with a relay, and twice this for the whole of it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A finished message and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The id of the delivery, which is the same for every attempt.
    pub id: &'a str,
    /// The one recipient.
    pub to: &'a str,
    /// The message with headers and body, as RFC 5322 has it.
    pub eml: &'a [u8],
}

/// Why a message did not go out.
#[derive(Debug, Error)]
pub enum MailError {
    /// It may work later.
    #[error("the mail could not be sent now")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It will never work.
    #[error("the mail was refused for good")]
    Permanent(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why mail cannot be set up.
#[derive(Debug, Error)]
pub enum MailSetupError {
    /// `mail.from` is no address.
    #[error("mail.from is not an address")]
    From,
    /// `mail.host` is missing.
    #[error("mail.host is not set")]
    Host,
    /// The password file cannot be used.
    #[error(transparent)]
    Password(#[from] SecretFileError),
    /// The authority's certificate or the relay's name cannot be used.
    #[error("TLS to the relay cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// Without protection only to this machine.
    #[error("mail.encryption = \"none\" is only for a relay on this machine")]
    Unencrypted,
}

/// How mail leaves this process.
#[derive(Debug)]
pub enum MailTransport {
    /// Into files.
    File(FileTransport),
    /// To a relay.
    Smtp(Box<SmtpTransport>),
}

impl MailTransport {
    /// The transport these settings name. Connects to nothing yet.
    pub fn open(configuration: &Configuration) -> Result<Self, MailSetupError> {
        let from = sender(configuration)?;
        Ok(match configuration.mail.transport {
            Chosen::File => Self::File(FileTransport::new(configuration.data_dir.join("mail"))),
            Chosen::Smtp => Self::Smtp(Box::new(SmtpTransport::new(&configuration.mail, from)?)),
        })
    }

    /// Hands the message over. When this returns, the message is durable or with the relay.
    pub async fn send(&self, message: Outgoing<'_>) -> Result<(), MailError> {
        let (transport, result) = match self {
            Self::File(files) => ("file", files.send(message).await),
            Self::Smtp(relay) => ("smtp", relay.send(message).await),
        };
        let outcome = match &result {
            Ok(()) => "sent",
            Err(MailError::Transient(_)) => "transient",
            Err(MailError::Permanent(_)) => "permanent",
        };
        metrics::counter!("mails_sent_total", "transport" => transport, "outcome" => outcome).increment(1);
        result
    }
}

/// The sender's address.
pub fn sender(configuration: &Configuration) -> Result<Address, MailSetupError> {
    let text = configuration.mail.from.clone().unwrap_or_else(|| {
        let host = configuration.public_url.host();
        let is_number = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        // An address literal (RFC 5321 section 4.1.3) is refused by most receivers anyway.
        format!("doorward@{}", if is_number { "localhost" } else { host })
    });
    text.parse().map_err(|_| MailSetupError::From)
}

/// Whether a relay's host name means this machine.
pub fn is_this_machine(host: &str) -> bool {
    let literal = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || literal.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn envelope(from: &Address, to: &str) -> Result<Envelope, MailError> {
    let to: Address = to.parse().map_err(|error| MailError::Permanent(Box::new(error)))?;
    Envelope::new(Some(from.clone()), vec![to]).map_err(|error| MailError::Permanent(Box::new(error)))
}

#[cfg(test)]
mod tests;
