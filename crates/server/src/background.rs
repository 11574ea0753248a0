//! What runs beside the requests.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use doorward_app::delivery::{Courier, DeliveryError, HandingOver, LogoutMessage};
use doorward_app::failure::Failure as AppFailure;
use doorward_app::mail::{Envelope, HeaderLine, Mail, MailAddress, MessageId, Sender};
use doorward_app::op::{Actor, Op};
use doorward_model::id::{DeliveryId, NodeId, RequestId};
use doorward_model::time::Timestamp;
use doorward_web::edge::Edge;
use doorward_web::gateway::Gateway as _;
use doorward_web::site::Site;
use tokio::time::Instant;

use crate::commands::failure::Failure;
use crate::configuration::Configuration;
use crate::mail::{MailError, MailTransport, Outgoing, sender};
use crate::outbound::Authorities;
use crate::outbound::logout_messages::LogoutMessages;
use crate::tasks::{Supervisor, TaskError};

const SECOND: Duration = Duration::from_secs(1);
/// How often noted uses of sessions are written.
const FLUSH_INTERVAL: Duration = Duration::from_secs(10);
/// How often what was revoked is looked at: with the pause after a look, well within the two seconds for which sessions are
/// believed.
const LOOK_INTERVAL: Duration = Duration::from_millis(750);
/// How long revocations are gathered after a look.
const GATHER: Duration = Duration::from_millis(25);
/// For each moment that a look takes, so many without one.
const LOOK_SHARE: u32 = 20;
/// How often the signing keys are read again.
const KEYS_INTERVAL: Duration = Duration::from_secs(5);
/// How often what has expired is removed.
const PURGE_INTERVAL: Duration = Duration::from_mins(1);
/// How often is looked for what an earlier master key has sealed.
const SEALING_INTERVAL: Duration = Duration::from_mins(1);
/// How often gauges are set.
const GAUGES_INTERVAL: Duration = Duration::from_secs(5);

/// The context of a run of a background task.
pub fn op(site: &Site, job: &'static str) -> Op {
    let (now, random) = (site.clock().now(), site.random());
    Op {
        actor: Actor::Job(job),
        now,
        request_id: RequestId::new(now, random.as_ref()),
        random,
        address: None,
        user_agent: None,
    }
}

/// Starts every background task.
pub fn start(
    supervisor: &Supervisor,
    configuration: &Configuration,
    site: &Site,
    edge: &Arc<Edge<Site>>,
) -> Result<(), Failure> {
    let node = NodeId::new(site.clock().now(), site.random().as_ref()).to_string();
    let courier = Arc::new(Post::open(configuration)?);
    let written = site.clone();
    let look = look_at_revocations(site);
    supervisor.spawn_woken("revocations", LOOK_INTERVAL, move || revocation_written(written.clone()), look);
    run(
        supervisor,
        "last seen",
        FLUSH_INTERVAL,
        site,
        |site| async move { site.app.flush_last_seen().await.map(|_| ()) },
    );
    run(supervisor, "keys", KEYS_INTERVAL, site, |site| async move {
        site.app.keep_keys_current(&op(&site, "keys")).await.map(|_| ())
    });
    run(supervisor, "sealing", SEALING_INTERVAL, site, |site| async move {
        site.app.seal_again(&op(&site, "sealing")).await.map(|_| ())
    });
    let owner = node.clone();
    run(supervisor, "purge", PURGE_INTERVAL, site, move |site| {
        let owner = owner.clone();
        async move { site.app.purge(&op(&site, "purge"), &owner).await.map(|_| ()) }
    });
    run(supervisor, "ended sessions", PURGE_INTERVAL, site, |site| async move {
        while site.app.announce_ended_sessions(&op(&site, "ended sessions")).await? > 0 {}
        Ok(())
    });
    run(supervisor, "deliveries", SECOND, site, move |site| {
        let (owner, courier) = (node.clone(), Arc::clone(&courier));
        async move {
            while site.app.announce_revoked_sessions(&op(&site, "deliveries")).await? > 0 {}
            while site.app.deliver_due(&op(&site, "deliveries"), &owner, courier.as_ref()).await? > 0 {}
            Ok(())
        }
    });
    run(supervisor, "gauges", GAUGES_INTERVAL, site, |site| async move { set_gauges(&site).await });
    let edge = Arc::clone(edge);
    run(supervisor, "limits", PURGE_INTERVAL, site, move |site| {
        edge.limits.sweep(site.clock().now());
        site.app.sweep(site.clock().now());
        async { Ok(()) }
    });
    Ok(())
}

/// Looks at what was revoked. What this node revokes itself is looked at sooner than the next second, after a pause that
/// gathers what is revoked together and, when looks take long, leaves most of the time to others.
fn look_at_revocations(site: &Site) -> impl Fn() -> Looking + Send + 'static {
    let site = site.clone();
    move || {
        let site = site.clone();
        Box::pin(async move {
            let begun = Instant::now();
            let looked = site.app.poll_revocations(&op(&site, "revocations")).await;
            let pause = (begun.elapsed() * LOOK_SHARE).clamp(GATHER, LOOK_INTERVAL);
            looked.map_err(|failure| TaskError::new(&failure))?;
            tokio::time::sleep(pause).await;
            Ok(())
        })
    }
}

type Looking = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

async fn revocation_written(site: Site) {
    site.app.revocation_written().await;
}

fn run<F, Fut>(supervisor: &Supervisor, name: &'static str, interval: Duration, site: &Site, work: F)
where
    F: Fn(Site) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), AppFailure>> + Send + 'static,
{
    let site = site.clone();
    supervisor.spawn(name, interval, move || {
        let running = work(site.clone());
        async move { running.await.map_err(|failure| TaskError::new(&failure)) }
    });
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
async fn set_gauges(site: &Site) -> Result<(), AppFailure> {
    let store = site.app.store.gauges();
    metrics::gauge!("store_pool_in_use").set(store.in_use as f64);
    metrics::gauge!("store_waiting").set(store.waiting as f64);
    let feed = site.app.feed_gauges();
    metrics::gauge!("revocation_feed_entries").set(feed.entries as f64);
    metrics::gauge!("revocation_feed_waiters").set(feed.waiters as f64);
    if let Some(looked_at) = feed.looked_at {
        metrics::gauge!("revocation_feed_lag_seconds").set(site.clock().now().since_ms(looked_at) as f64 / 1_000.0);
    }
    let hasher = site.app.hasher.gauges();
    metrics::gauge!("password_hash_queue_length").set(hasher.waiting as f64);
    metrics::gauge!("password_hash_buffers").set(hasher.buffers as f64);
    let backlog = site.app.delivery_backlog().await?;
    metrics::gauge!("deliveries_waiting").set(backlog.waiting as f64);
    metrics::gauge!("deliveries_dead").set(backlog.dead as f64);
    Ok(())
}

/// Carries queued mails to the configured transport, and messages to applications.
struct Post {
    messages: LogoutMessages,
    transport: MailTransport,
    from: Sender,
}

impl Post {
    fn open(configuration: &Configuration) -> Result<Self, Failure> {
        let address = MailAddress::parse(sender(configuration)?.as_ref())?;
        let from = Sender { name: HeaderLine::new(&configuration.service_name), address };
        let networks = configuration.applications.private_networks.clone();
        let messages = LogoutMessages::new(networks, Authorities::of_applications(configuration)?)?;
        Ok(Self { messages, transport: MailTransport::open(configuration)?, from })
    }
}

impl Courier for Post {
    fn deliver<'a>(&'a self, id: DeliveryId, queued_at: Timestamp, mail: &'a Mail) -> HandingOver<'a> {
        Box::pin(async move {
            let message_id = MessageId::new(id, &self.from);
            let eml = mail.to_eml(&Envelope { id: &message_id, date: queued_at, from: &self.from });
            let outgoing = Outgoing { id: &id.to_string(), to: mail.to.as_str(), eml: eml.as_bytes() };
            self.transport.send(outgoing).await.map_err(|error| report(&error))
        })
    }

    fn announce<'a>(&'a self, _: DeliveryId, message: &'a LogoutMessage) -> HandingOver<'a> {
        Box::pin(async move { self.messages.send(message).await })
    }
}

/// The row gets the kind of failure only: what a relay says may quote the address.
fn report(error: &MailError) -> DeliveryError {
    DeliveryError { is_permanent: matches!(error, MailError::Permanent(_)), reason: error.to_string() }
}
