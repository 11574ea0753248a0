//! What limiter rows are called: never an address, always an HMAC under a key of the deployment.
//!
//! A row for an address without an account looks like every other row, and the table tells a reader neither
//! addresses nor networks.

use std::fmt;

use aws_lc_rs::hmac;

use crate::id::{DeviceId, SessionId};
use crate::network::Network;

/// The key that turns addresses and networks into row keys. A random key of the deployment, kept when the
/// master key changes.
#[derive(Clone)]
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The subject of a canonical e-mail address, with or without an account. Also what events show of an
    /// address that is unknown.
    pub fn subject(&self, canonical_email: &str) -> Subject {
        Subject(self.mac(b"subject", &[canonical_email.as_bytes()]))
    }

    /// The row that counts attempts on an account, of kind [`RowKind::Account`], [`RowKind::Run`] or
    /// [`RowKind::Mail`].
    pub fn of_subject(&self, kind: RowKind, subject: Subject) -> RowKey {
        self.row(kind, &[&subject.0])
    }

    /// The row of an account and a network together.
    pub fn of_pair(&self, kind: RowKind, subject: Subject, network: Network) -> RowKey {
        self.row(kind, &[&subject.0, &network.to_bytes()])
    }

    /// The row of a network.
    pub fn of_network(&self, kind: RowKind, network: Network) -> RowKey {
        self.row(kind, &[&network.to_bytes()])
    }

    /// The row of a known device.
    pub fn of_device(&self, kind: RowKind, device: DeviceId) -> RowKey {
        self.row(kind, &[b"device", device.uuid()])
    }

    /// The row of a session whose holder shows the password again.
    pub fn of_session(&self, kind: RowKind, session: SessionId) -> RowKey {
        self.row(kind, &[b"session", session.uuid()])
    }

    fn row(&self, kind: RowKind, parts: &[&[u8]]) -> RowKey {
        RowKey { kind, bytes: self.mac(kind.name().as_bytes(), parts) }
    }

    /// Every part is preceded by its length, so no two lists of parts are the same bytes.
    fn mac(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&label).chain(parts) {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey[redacted]")
    }
}

/// A canonical e-mail address as an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject([u8; 32]);

impl Subject {
    /// The 32 bytes, for events about addresses without an account.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a limiter row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// Strangers' sign-in attempts of a network.
    Network,
    /// Strangers' attempts on an account from one network.
    Pair,
    /// Strangers' attempts on an account from everywhere.
    Account,
    /// Strangers' consecutive failures on an account.
    Run,
    /// Attempts from one known device, or with one session.
    Device,
    /// Attempts of a network's known devices beyond their first few.
    DeviceNetwork,
    /// Throttled attempts waiting for their event.
    Throttled,
    /// Wrong passwords waiting for their event.
    Wrong,
    /// Dropped mails waiting for their event.
    MailDropped,
    /// Mails an address received.
    Mail,
    /// Whether a network asked for mail to an address today.
    MailPair,
    /// Mails a network asked for.
    MailNetwork,
    /// Mails a known device asked for in an hour.
    MailDeviceHour,
    /// Mails a known device asked for in a day.
    MailDeviceDay,
}

impl RowKind {
    /// The word in the row.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Pair => "pair",
            Self::Account => "account",
            Self::Run => "run",
            Self::Device => "device",
            Self::DeviceNetwork => "device_network",
            Self::Throttled => "throttled",
            Self::Wrong => "wrong",
            Self::MailDropped => "mail_dropped",
            Self::Mail => "mail",
            Self::MailPair => "mail_pair",
            Self::MailNetwork => "mail_network",
            Self::MailDeviceHour => "mail_device_hour",
            Self::MailDeviceDay => "mail_device_day",
        }
    }
}

/// The key of one limiter row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowKey {
    kind: RowKind,
    bytes: [u8; 32],
}

impl RowKey {
    /// What the row counts.
    pub const fn kind(&self) -> RowKind {
        self.kind
    }

    /// The bytes of the row's primary key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Proves: S-60
    #[test]
    fn no_two_things_share_a_row() {
        let key = SubjectKey::new(&[7; 32]);
        let (one, other) = (key.subject("a@example.org"), key.subject("b@example.org"));
        let network = Network::V4([192, 0, 2, 1]);
        let rows = [
            key.of_subject(RowKind::Account, one),
            key.of_subject(RowKind::Account, other),
            key.of_subject(RowKind::Run, one),
            key.of_pair(RowKind::Pair, one, network),
            key.of_pair(RowKind::Pair, other, network),
            key.of_pair(RowKind::Pair, one, Network::Unknown),
            key.of_network(RowKind::Network, network),
            key.of_device(RowKind::Device, DeviceId::from_uuid([1; 16])),
            key.of_session(RowKind::Device, SessionId::from_uuid([1; 16])),
        ];
        assert_eq!(rows.iter().map(|row| *row.as_bytes()).collect::<HashSet<_>>().len(), rows.len());
    }

    #[test]
    fn another_deployment_has_other_rows() {
        assert_ne!(
            SubjectKey::new(&[1; 32]).subject("a@example.org"),
            SubjectKey::new(&[2; 32]).subject("a@example.org")
        );
    }

    /// Proves: A-150
    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", SubjectKey::new(&[7; 32])), "SubjectKey[redacted]");
    }
}
