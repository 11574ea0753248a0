//! The worker that sends queued mails and messages to clients: leased, retried with back-off, given up visibly.

use std::future::Future;
use std::pin::Pin;

use doorward_model::id::DeliveryId;
use doorward_model::random;
use doorward_model::secret::SecretText;
use doorward_model::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use doorward_store::deliveries::{self, Backlog, Delivery};

use crate::App;
use crate::failure::Failure;
use crate::mail::Mail;
use crate::op::Op;
use crate::post::PAYLOAD;

/// Deliveries taken at once: no more than a relay that answers slowly can be handed within the lease, at a minute
/// each.
const BATCH: i64 = 4;
/// How long a worker may hold a batch before others take it over.
const LEASE_MS: i64 = 5 * MINUTE_MS;
/// How long to wait after each failed attempt; after the last one the delivery is dead. A day in all.
const WAITS_MS: [i64; 9] = [
    10 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
    9 * HOUR_MS,
];

/// The channel of mails.
pub(crate) const MAIL: &str = "mail";
/// The channel of messages to clients that a session is over.
pub(crate) const LOGOUT: &str = "logout";

/// Why a mail could not be handed over.
#[derive(Debug, Clone)]
pub struct DeliveryError {
    /// Trying again cannot help.
    pub is_permanent: bool,
    /// What happened, without addresses and secrets: it is stored and shown to operators.
    pub reason: String,
}

/// Tells a client that a session is over (OpenID Connect Back-Channel Logout 1.0 section 2.5).
pub struct LogoutMessage {
    /// Where the client wants to hear it.
    pub address: String,
    /// The logout token.
    pub token: SecretText,
}

/// What is handed over.
enum Content {
    Mail(Box<Mail>),
    Logout(LogoutMessage),
    /// Nobody wants it any more.
    Nothing,
}

/// How a delivery is handed over.
pub type HandingOver<'a> = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;

/// What carries mails, a mail server or a folder, and messages to clients.
pub trait Courier: Send + Sync + 'static {
    /// Hands `mail` over. The id is stable over attempts.
    fn deliver<'a>(&'a self, id: DeliveryId, queued_at: Timestamp, mail: &'a Mail) -> HandingOver<'a>;

    /// Tells a client that a session is over. The id is stable over attempts.
    fn announce<'a>(&'a self, id: DeliveryId, message: &'a LogoutMessage) -> HandingOver<'a>;
}

impl App {
    /// Takes due deliveries and sends them; says how many it took, so that the caller knows whether to ask again.
    pub async fn deliver_due(&self, op: &Op, owner: &str, courier: &dyn Courier) -> Result<usize, Failure> {
        let (leased_by, now) = (owner.to_owned(), op.now);
        let batch =
            self.store.write(move |tx| deliveries::lease(tx, &leased_by, now.plus_ms(LEASE_MS), now, BATCH)).await?;
        let taken = batch.len();
        for delivery in batch {
            self.deliver(op, owner, courier, delivery).await?;
        }
        Ok(taken)
    }

    async fn deliver(&self, op: &Op, owner: &str, courier: &dyn Courier, delivery: Delivery) -> Result<(), Failure> {
        let outcome = match self.unpack(&delivery, op.now).await {
            Ok(Content::Mail(mail)) => courier
                .deliver(delivery.id, delivery.created_at, &mail)
                .await
                .inspect_err(|error| tell(&delivery, error)),
            Ok(Content::Logout(message)) => {
                courier.announce(delivery.id, &message).await.inspect_err(|error| tell(&delivery, error))
            }
            Ok(Content::Nothing) => Ok(()),
            // The database may answer again in a while.
            Err(Failure::Unavailable { .. }) => {
                Err(DeliveryError { is_permanent: false, reason: "the database was not there".to_owned() })
            }
            Err(failure) => {
                tracing::error!(delivery.id = %delivery.id, error = &failure as &dyn std::error::Error, "a queued delivery cannot be opened");
                Err(DeliveryError { is_permanent: true, reason: "the queued delivery cannot be opened".to_owned() })
            }
        };
        let (id, owner, now) = (delivery.id, owner.to_owned(), op.now);
        let attempt = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        let wait_ms = WAITS_MS.get(attempt).map(|wait| jittered(op, *wait));
        let label = match &outcome {
            Ok(()) => "sent",
            Err(error) if error.is_permanent || wait_ms.is_none() => "dead",
            Err(_) => "retried",
        };
        let held = self
            .store
            .write(move |tx| match (&outcome, wait_ms) {
                (Ok(()), _) => deliveries::finish(tx, id, &owner, now),
                (Err(error), Some(wait_ms)) if !error.is_permanent => {
                    deliveries::retry(tx, id, &owner, now.plus_ms(wait_ms), &error.reason)
                }
                (Err(error), _) => deliveries::give_up(tx, id, &owner, now, &error.reason),
            })
            .await?;
        if !held {
            tracing::warn!(delivery.id = %id, "the lease of a delivery was lost; it may be sent twice");
        }
        metrics::counter!("deliveries_total", "outcome" => label).increment(1);
        Ok(())
    }

    async fn unpack(&self, delivery: &Delivery, now: Timestamp) -> Result<Content, Failure> {
        let plain = self
            .keys
            .masters()
            .open(PAYLOAD, &delivery.id.to_string(), &delivery.payload)
            .map_err(|error| Failure::internal("opening a queued delivery", error))?;
        if delivery.channel == LOGOUT {
            let message = self.write_logout(delivery.id, &plain, now).await?;
            return Ok(message.map_or(Content::Nothing, Content::Logout));
        }
        let mail = serde_json::from_slice(&plain).map_err(|error| Failure::internal("reading a queued mail", error))?;
        Ok(Content::Mail(Box::new(mail)))
    }

    /// How many deliveries wait or were given up.
    pub async fn delivery_backlog(&self) -> Result<Backlog, Failure> {
        Ok(self.store.read(deliveries::backlog).await?)
    }
}

/// A failure is logged once, here, for everything that is delivered.
fn tell(delivery: &Delivery, error: &DeliveryError) {
    tracing::error!(
        delivery.id = %delivery.id,
        delivery.channel = %delivery.channel,
        delivery.attempts = delivery.attempts + 1,
        reason = error.reason,
        "a delivery failed"
    );
}

/// `wait_ms` up to a fifth longer or shorter, so that what failed together does not come back together.
fn jittered(op: &Op, wait_ms: i64) -> i64 {
    let thousandth = i64::from(random::below(op.random.as_ref(), 401));
    wait_ms / 1000 * (800 + thousandth)
}

#[cfg(test)]
mod tests;
