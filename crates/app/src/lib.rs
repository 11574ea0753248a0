//! Use cases: one method per thing that can happen. This layer decides and owns the transaction; it knows
//! neither HTTP nor SQL.

pub mod applications;
pub mod authentication;
pub mod breached_passwords;
mod change;
pub mod clients;
pub mod delivery;
pub mod devices;
pub mod event;
pub mod failure;
pub mod flow;
pub mod hashing;
pub mod key_rotation;
pub mod keys;
pub mod login;
pub mod mail;
pub mod mail_budget;
mod master_key_change;
pub mod oauth;
pub mod op;
pub mod operators;
pub mod outbound;
mod password_check;
pub mod passwords;
mod post;
pub mod profile;
pub mod rate_limit;
mod renewal;
mod renewal_limit;
pub mod revocations;
pub mod sessions;
pub mod settings;
pub mod signup;
#[cfg(test)]
mod test_app;
#[cfg(test)]
mod test_database;
pub mod text;
pub mod throttle;
pub mod tokens;
pub mod upkeep;
mod user_cache;

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use doorward_model::id::UserId;
use doorward_model::network::Network;
use doorward_store::Store;

use clients::ReadClients;
use devices::{DeviceCookies, DeviceList};
use failure::Failure;
use hashing::Hasher;
use keys::Keys;
use mail_budget::{MailBudgets, MailRequest};
use oauth::{ClientKeyCache, ClientTokens, MOST_CLIENT_TOKENS};
use op::Op;
use outbound::Outbound;
use renewal_limit::RenewalLimit;
use revocations::Revocations;
use sessions::cache::SessionCache;
use settings::Settings;
use throttle::Throttle;
use user_cache::UserCache;

/// The application: everything the use cases need. Clones share one state.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// What the operator chose.
    pub settings: Settings,
    /// Signing keys and secrets.
    pub keys: Keys,
    /// The bounded pool that hashes passwords.
    pub hasher: Hasher,
    /// Who may have a password checked.
    pub throttle: Throttle,
    /// The known-device cookie.
    pub device_cookies: DeviceCookies,
    /// Other servers.
    pub outbound: Outbound,
    mail_budgets: MailBudgets,
    session_cache: SessionCache,
    user_cache: UserCache,
    renewals: RenewalLimit,
    client_keys: ClientKeyCache,
    read_clients: ReadClients,
    client_tokens: ClientTokens,
    revocations: Revocations,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl App {
    /// Puts an application together.
    pub fn new(
        store: Store,
        settings: Settings,
        keys: Keys,
        hasher: Hasher,
        throttle: Throttle,
        device_cookies: DeviceCookies,
        outbound: Outbound,
    ) -> Self {
        let mail_budgets = MailBudgets::new(throttle.clone());
        let revocations = Revocations::new(keys.settings().access_token_ms);
        let parts = Parts {
            store,
            settings,
            keys,
            hasher,
            throttle,
            device_cookies,
            mail_budgets,
            session_cache: SessionCache::new(),
            user_cache: UserCache::default(),
            renewals: RenewalLimit::new(),
            revocations,
            client_keys: ClientKeyCache::default(),
            read_clients: ReadClients::default(),
            client_tokens: ClientTokens::new(MOST_CLIENT_TOKENS),
            outbound,
        };
        Self { parts: Arc::new(parts) }
    }

    /// Where a request comes from, as limits see it.
    fn network(op: &Op) -> Network {
        Network::of_optional(op.address)
    }

    /// A keyed hash of the network of `address`: rows that live long hold this instead of the address.
    fn network_hash(&self, address: IpAddr) -> Vec<u8> {
        self.keys.derive("network", &[&Network::of(address).to_bytes()])[..16].to_vec()
    }

    fn mail_request(&self, op: &Op, canonical: &str, user: Option<UserId>, device_cookie: Option<&str>) -> MailRequest {
        let devices = self.device_cookies.open(device_cookie, op.now);
        MailRequest {
            subject: self.throttle.subject(canonical),
            user,
            network: Self::network(op),
            device: user.and_then(|user| devices.device_of(user)),
            now: op.now,
        }
    }

    fn seal_devices(&self, op: &Op, list: &DeviceList) -> Result<String, Failure> {
        self.device_cookies
            .seal(list, op.random.as_ref())
            .map_err(|error| Failure::internal("sealing the known-device cookie", error))
    }
}
