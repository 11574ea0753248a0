//! Mail by SMTP to a relay; always by TLS unless the relay is on this machine.

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{MailError, MailSetupError, Outgoing, TIMEOUT, envelope, is_this_machine};
use crate::configuration::{Encryption, Mail, secret_file};

/// Talks to one relay, a connection for each mail.
pub struct SmtpTransport {
    from: Address,
    relay: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpTransport {
    /// To the relay these settings name.
    pub fn new(settings: &Mail, from: Address) -> Result<Self, MailSetupError> {
        let host = settings.host.as_deref().filter(|host| !host.is_empty()).ok_or(MailSetupError::Host)?;
        let (tls, usual_port) = match settings.encryption {
            Encryption::Starttls => (Tls::Required(parameters(settings, host)?), 587),
            Encryption::Tls => (Tls::Wrapper(parameters(settings, host)?), 465),
            Encryption::None if is_this_machine(host) => (Tls::None, 25),
            Encryption::None => return Err(MailSetupError::Unencrypted),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port.unwrap_or(usual_port))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        let password = secret_file::either(settings.password.as_ref(), settings.password_file.as_deref())?;
        if let (Some(username), Some(password)) = (&settings.username, password) {
            builder = builder.credentials(Credentials::new(username.clone(), password.reveal().to_owned()));
        }
        Ok(Self { from, relay: builder.build() })
    }

    pub(super) async fn send(&self, message: Outgoing<'_>) -> Result<(), MailError> {
        let envelope = envelope(&self.from, message.to)?;
        match tokio::time::timeout(TIMEOUT * 2, self.relay.send_raw(&envelope, message.eml)).await {
            Ok(Ok(_)) => Ok(()),
            // 5yz is final (RFC 5321 section 4.2.1); a lost connection, a refused sign-in and 4yz may pass.
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Permanent(Box::new(error))),
            Ok(Err(error)) => Err(MailError::Transient(Box::new(error))),
            Err(elapsed) => Err(MailError::Transient(Box::new(elapsed))),
        }
    }
}

fn parameters(settings: &Mail, host: &str) -> Result<TlsParameters, MailSetupError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_certificate_file {
        let pem = secret_file::read(path)?;
        builder =
            builder.add_root_certificate(Certificate::from_pem(pem.reveal().as_bytes()).map_err(MailSetupError::Tls)?);
    }
    builder.build().map_err(MailSetupError::Tls)
}

impl std::fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpTransport").finish_non_exhaustive()
    }
}
