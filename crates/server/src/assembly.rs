//! Puts an application together from its parts. Tests use the same function with their own clock and randomness.

use std::sync::Arc;

use axum::Router;
use doorward_app::App;
use doorward_app::devices::{DeviceCookies, SealingFailed};
use doorward_app::hashing::{Hasher, HasherOptions};
use doorward_app::keys::sealing::MasterKeys;
use doorward_app::keys::{KeySettings, Keys, KeysError};
use doorward_app::outbound::Outbound;
use doorward_app::settings::Settings;
use doorward_app::throttle::Throttle;
use doorward_model::random::Random;
use doorward_model::throttle::{InvalidPolicy, SubjectKey, ThrottlePolicy};
use doorward_model::time::Clock;
use doorward_store::Store;
use doorward_web::edge::Edge;
use doorward_web::route_table::{InvalidTable, RouteTable};
use doorward_web::settings::EdgeSettings;
use doorward_web::site::Site;
use thiserror::Error;

/// Why the parts do not fit together.
#[derive(Debug, Error)]
pub enum AssemblyError {
    /// The keys.
    #[error("the keys cannot be opened")]
    Keys(#[from] KeysError),
    /// The threads that hash.
    #[error("the threads that hash passwords cannot be started")]
    Hasher(#[from] std::io::Error),
    /// The numbers of the throttle.
    #[error(transparent)]
    Throttle(#[from] InvalidPolicy),
    /// The key of the known-device cookie.
    #[error(transparent)]
    Devices(#[from] SealingFailed),
    /// The routes.
    #[error(transparent)]
    Routes(#[from] InvalidTable),
}

/// What an application is made from.
pub struct Inputs {
    /// A migrated database.
    pub store: Store,
    /// What seals.
    pub master_keys: Arc<MasterKeys>,
    /// What the use cases are told.
    pub settings: Settings,
    /// What keys and tokens are made by.
    pub keys: KeySettings,
    /// How passwords are hashed.
    pub hasher: HasherOptions,
    /// The numbers of the sign-in throttle.
    pub throttle: ThrottlePolicy,
    /// Other servers.
    pub outbound: Outbound,
    /// What the edge is told.
    pub edge: EdgeSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// An application that can be served.
pub struct Assembled {
    /// The application with clock and randomness.
    pub site: Site,
    /// The edge, whose limits want sweeping.
    pub edge: Arc<Edge<Site>>,
    /// What the public listener serves.
    pub router: Router,
}

/// Puts the parts together.
pub async fn assemble(inputs: Inputs) -> Result<Assembled, AssemblyError> {
    let Inputs { store, master_keys, settings, keys, hasher, throttle, outbound, edge, clock, random } = inputs;
    let keys = Keys::open(store.clone(), master_keys, keys, clock.now(), random.as_ref()).await?;
    let throttle = Throttle::new(throttle, SubjectKey::new(keys.subject_lookup()))?;
    let (device_key_id, device_key) = keys.known_device();
    let devices = DeviceCookies::new(device_key_id, device_key)?;
    let hasher = Hasher::start(hasher)?;
    let app = App::new(store, settings, keys, hasher, throttle, devices, outbound);
    let site = Site::new(app, clock, random);
    let edge = Arc::new(Edge::new(site.clone(), edge));
    let router = RouteTable::new(doorward_web::routes())?.into_router(&edge);
    Ok(Assembled { site, edge, router })
}
