//! Outgoing mail.

use super::{Finding, error, warning};
use crate::configuration::{Configuration, Encryption, MailTransport};
use crate::mail;

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    let settings = &configuration.mail;
    if mail::sender(configuration).is_err() {
        found.push(error("mail_from_invalid", "mail.from", "Write a plain address such as auth@example.com."));
    }
    match settings.transport {
        MailTransport::File => {
            if !configuration.public_url.is_loopback() {
                found.push(warning(
                    "mail_to_files",
                    "mail.transport",
                    "Mail is written to files and reaches nobody: set transport = \"smtp\" and the relay.",
                ));
            }
        }
        MailTransport::Smtp => {
            let has_password = settings.password.is_some() || settings.password_file.is_some();
            if settings.host.as_deref().is_none_or(str::is_empty) || settings.username.is_some() != has_password {
                found.push(error(
                    "mail_relay_incomplete",
                    "mail.host",
                    "SMTP needs host, and username and password (or password_file) together or not at all.",
                ));
            }
            let is_local = settings.host.as_deref().is_some_and(mail::is_this_machine);
            if settings.encryption == Encryption::None && !is_local {
                found.push(error(
                    "mail_unencrypted",
                    "mail.encryption",
                    "Off this machine mail goes by TLS: \"starttls\" or \"tls\". Links in mails sign people in.",
                ));
            }
        }
    }
}
