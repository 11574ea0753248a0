//! Mails on their way from a use case to the worker: rendered, sealed, queued in the same transaction as the
//! event they follow from.

use doorward_model::email::EmailAddress;
use doorward_model::id::DeliveryId;
use doorward_model::locale::Locale;
use doorward_store::users::User;

use crate::App;
use crate::failure::Failure;
use crate::keys::sealing::Purpose;
use crate::mail::{Incident, Letter, Mail, MailAddress, Recipient};
use crate::op::Op;

/// What the sealed payloads of the `deliveries` table are sealed for.
pub(crate) const PAYLOAD: Purpose = Purpose::new("deliveries.payload");

/// A rendered mail, or a message, as its row holds it. Mails carry links that open accounts, so they are never stored plain.
#[derive(Clone)]
pub(crate) struct Parcel {
    pub(crate) id: DeliveryId,
    pub(crate) sealed: Vec<u8>,
}

/// Whom a mail goes to: always a stored address, never one from a later request.
#[derive(Clone, Copy)]
pub(crate) struct Addressee<'a> {
    pub(crate) email: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) locale: Option<&'a str>,
}

impl<'a> Addressee<'a> {
    pub(crate) fn of(user: &'a User) -> Self {
        Self { email: &user.email, name: user.name.as_deref(), locale: user.locale.as_deref() }
    }
}

impl App {
    /// Writes `letter` and seals it for the queue.
    pub(crate) fn pack(&self, op: &Op, to: Addressee<'_>, letter: &Letter) -> Result<Parcel, Failure> {
        // Rows hold the address as typed; mail goes to its ASCII domain.
        let stored = EmailAddress::parse(to.email).map_err(|error| Failure::internal("addressing a mail", error))?;
        let address = MailAddress::try_from(&stored).map_err(|error| Failure::internal("addressing a mail", error))?;
        let language = to.locale.and_then(Locale::parse).unwrap_or_default();
        let recipient = Recipient { address: &address, name: to.name, language, site: &self.settings.service_name };
        let mail = Mail::render(letter, &recipient).map_err(|error| Failure::internal("writing a mail", error))?;
        let plain = serde_json::to_vec(&mail).map_err(|error| Failure::internal("packing a mail", error))?;
        self.seal_parcel(op, DeliveryId::new(op.now, op.random.as_ref()), &plain)
    }

    /// Seals what is to be delivered.
    pub(crate) fn seal_parcel(&self, op: &Op, id: DeliveryId, plain: &[u8]) -> Result<Parcel, Failure> {
        let sealed = self
            .keys
            .masters()
            .seal(PAYLOAD, &id.to_string(), plain, op.random.as_ref())
            .map_err(|error| Failure::internal("sealing a delivery", error))?;
        Ok(Parcel { id, sealed })
    }

    /// When and where the caller does what a mail tells of.
    pub(crate) fn incident(op: &Op) -> Incident {
        Incident {
            at: op.now,
            device: doorward_model::device::label(op.user_agent.as_deref().unwrap_or_default()),
            address: op.address.map(|address| address.to_string()),
        }
    }

    /// The address of a page of this server.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url)
    }
}
