//! From the configuration to a running application.

use std::num::NonZeroUsize;
use std::sync::Arc;

use doorward_app::breached_passwords::{BreachCheck, WithoutAnswer};
use doorward_app::hashing::{HashParameters, HasherOptions};
use doorward_app::keys::KeySettings;
use doorward_app::outbound::Outbound;
use doorward_app::settings::{SessionSettings, Settings};
use doorward_model::password::Policy;
use doorward_model::rotation::Rotation;
use doorward_model::throttle::ThrottlePolicy;
use doorward_model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use doorward_web::settings::{EdgeSettings, PublicUrl};

use crate::assembly::{Assembled, Inputs, assemble};
use crate::commands::failure::Failure;
use crate::configuration::{Configuration, Rotation as ConfiguredRotation, WithoutAnswer as ConfiguredWithoutAnswer};
use crate::outbound::Authorities;
use crate::outbound::breached_passwords::BreachedPasswordService;
use crate::outbound::client_documents::FetchedDocuments;
use crate::runtime::Runtime;
use crate::telemetry::sources::{SystemClock, SystemRandom};

/// How much memory passwords may take while they are hashed, where nothing else is configured.
const HASHING_MEMORY_MIB: u64 = 512;

/// The application that these settings describe, over open data.
pub async fn wire(runtime: &Runtime) -> Result<Assembled, Failure> {
    let configuration = &runtime.configuration;
    let inputs = Inputs {
        store: runtime.store.clone(),
        master_keys: Arc::clone(&runtime.master_keys),
        settings: settings(configuration)?,
        keys: key_settings(configuration),
        hasher: hasher_options(configuration)?,
        throttle: ThrottlePolicy::default(),
        outbound: Outbound {
            breached: breach_check(configuration)?,
            documents: Arc::new(FetchedDocuments::new(
                configuration.applications.private_networks.clone(),
                Authorities::of_applications(configuration)?,
            )?),
        },
        edge: edge_settings(configuration)?,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    Ok(assemble(inputs).await?)
}

fn settings(configuration: &Configuration) -> Result<Settings, Failure> {
    let sessions = &configuration.sessions;
    let mut settings = Settings::new(configuration.public_url.as_str());
    settings.service_name.clone_from(&configuration.service_name);
    settings.security_contact.clone_from(&configuration.security.contact);
    settings.password_policy = Policy::new(configuration.password.min_length, configuration.password.composition)?;
    settings.pushed_only = configuration.applications.pushed_only;
    settings.registration = configuration.applications.registration;
    settings.public_revocations = configuration.revocations.public;
    settings.sessions = SessionSettings {
        idle_ms: i64::from(sessions.idle_hours) * HOUR_MS,
        absolute_ms: i64::from(sessions.absolute_days) * DAY_MS,
        per_user: i64::from(sessions.per_user),
        overlap_ms: i64::from(sessions.overlap_seconds) * SECOND_MS,
        rotation: match sessions.rotation {
            ConfiguredRotation::Recover => Rotation::Recover,
            ConfiguredRotation::Strict => Rotation::Strict,
        },
    };
    Ok(settings)
}

fn key_settings(configuration: &Configuration) -> KeySettings {
    let issuer = configuration.public_url.as_str().trim_end_matches('/');
    let audience = configuration.tokens.audience.as_deref().unwrap_or(issuer);
    let mut settings = KeySettings::new(issuer, audience);
    settings.access_token_ms = i64::from(configuration.tokens.access_minutes) * MINUTE_MS;
    settings
}

fn hasher_options(configuration: &Configuration) -> Result<HasherOptions, Failure> {
    let password = &configuration.password;
    let parameters = HashParameters::new(password.memory_kib, password.iterations, password.parallelism)?;
    parameters.check_floor()?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let budget = password.hashing_memory_mib.map_or(HASHING_MEMORY_MIB, u64::from) << 20;
    Ok(HasherOptions { begin: stand_back, ..HasherOptions::for_machine(parameters, cores, budget) })
}

/// On Linux niceness belongs to a thread: one that hashes for 20 ms lets those that answer in one go first, and still
/// gets every moment they leave. Measured: ten steps cost a quarter of the sign-ins, three cost none.
fn stand_back() {
    const STEPS: i32 = 3;
    if let Err(error) = rustix::process::nice(STEPS) {
        tracing::warn!(%error, "a hashing thread keeps its priority: others wait for it longer");
    }
}

fn breach_check(configuration: &Configuration) -> Result<BreachCheck, Failure> {
    let password = &configuration.password;
    let Some(url) = &password.breached_service_url else {
        return Ok(BreachCheck::default());
    };
    let without_answer = match password.breached_without_answer {
        ConfiguredWithoutAnswer::Accept => WithoutAnswer::Accept,
        ConfiguredWithoutAnswer::Refuse => WithoutAnswer::Refuse,
    };
    Ok(BreachCheck::with(Arc::new(BreachedPasswordService::new(url.clone())?), without_answer))
}

fn edge_settings(configuration: &Configuration) -> Result<EdgeSettings, Failure> {
    let mut settings = EdgeSettings::new(PublicUrl::parse(configuration.public_url.as_str())?);
    settings.trusted_proxies.clone_from(&configuration.trusted_proxies);
    settings.token_origins.clone_from(&configuration.cors.token_origins);
    settings.limit_scale = configuration.limits.scale;
    settings.service_name.clone_from(&configuration.service_name);
    settings.page_presenter = doorward_web::pages::error_page;
    Ok(settings)
}
