//! `doorward serve`: opens the data, listens, and ends in good order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::signal::unix::{SignalKind, signal};

use doorward_web::site::Site;

use super::check;
use super::failure::Failure;
use crate::check::{Facts, findings};
use crate::cli::Serve;
use crate::configuration::Configuration;
use crate::data_dir::DataDir;
use crate::listeners::tls::TlsFiles;
use crate::listeners::{ListenerLimits, Listeners};
use crate::runtime::Runtime;
use crate::shutdown::{Shutdown, ShutdownSource};
use crate::tasks::{Supervisor, TaskError};
use crate::telemetry::health::{Health, ReadinessCheck};
use crate::telemetry::{logging, metering, operations, panics, process};
use crate::{administrator, background, wiring};

/// How often files of certificates are looked at.
const TLS_INTERVAL: Duration = Duration::from_secs(5);
/// How often the metrics recorder folds what histograms collected.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// Sockets and files that are no client's.
const OWN_FILES: u64 = 128;
/// Connections of the operations listener.
const OPERATIONS_CONNECTIONS: usize = 64;

/// Serves until told to end.
pub fn run(configuration: &Configuration, flags: &Serve) -> Result<(), Failure> {
    logging::start(&configuration.log)?;
    panics::watch();
    let found = findings(configuration, Facts::of_this_process());
    check::refuse_errors(&found)?;
    for finding in found {
        tracing::warn!(finding = finding.name, setting = finding.setting, remedy = finding.remedy, "unsafe setting");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(configuration, flags))
}

async fn serve(configuration: &Configuration, flags: &Serve) -> Result<(), Failure> {
    let metrics = metering::start()?;
    let _folder = DataDir::take(&configuration.data_dir)?;
    let public = Listeners::bind(&configuration.listen).await?;
    let private = Listeners::bind(&[configuration.ops_listen]).await?;
    let tls = match (&configuration.tls.certificate_file, &configuration.tls.key_file) {
        (Some(certificate), Some(key)) => Some(Arc::new(TlsFiles::open(certificate, key)?)),
        _ => None,
    };
    let runtime = Runtime::open(configuration.clone()).await?;
    runtime.prepare_schema(!flags.no_migrate).await?;

    let (source, shutdown) = ShutdownSource::new();
    let supervisor = Supervisor::new(shutdown.clone());
    let upkeep = metrics.clone();
    supervisor.spawn("metrics upkeep", UPKEEP_INTERVAL, move || {
        let metrics = upkeep.clone();
        async move {
            if let Some(metrics) = metrics.handle() {
                metrics.run_upkeep();
            }
            Ok(())
        }
    });
    if let Some(tls) = &tls {
        watch_certificate(&supervisor, tls);
    }
    let assembled = wiring::wire(&runtime).await?;
    background::start(&supervisor, configuration, &assembled.site, &assembled.edge)?;
    administrator::offer(&supervisor, &assembled.site, configuration).await?;
    let health = Health::new(
        vec![runtime.readiness(), keys_readiness(&assembled.site), runtime.clock_readiness()],
        shutdown.clone(),
    );
    let operations = operations::router(health, metrics);
    let private_limits = ListenerLimits {
        connections: OPERATIONS_CONNECTIONS,
        connections_per_address: OPERATIONS_CONNECTIONS,
        ..ListenerLimits::default()
    };

    announce(configuration, &public, &private);
    let ends = tokio::spawn(follow_signals(source, tls.clone())?);
    let (waiters, draining) = (assembled.site.clone(), shutdown.clone());
    tokio::spawn(async move {
        draining.draining().await;
        waiters.app.stop_waiting();
    });
    // Health stays visible until the last request is answered.
    let (ops_source, ops_shutdown) = ShutdownSource::new();
    let ops = tokio::spawn(private.serve(operations, None, private_limits, ops_shutdown));
    serve_public(public, assembled.router, tls, public_limits(configuration), shutdown).await;
    supervisor.stop().await;
    if let Err(failure) = assembled.site.app.flush_last_seen().await {
        tracing::warn!(error = &failure as &dyn std::error::Error, "when sessions were last used was not written");
    }
    runtime.close().await;
    ops_source.end();
    ops.await?;
    ends.abort();
    tracing::info!("ended");
    Ok(())
}

/// Whether this node can sign.
fn keys_readiness(site: &Site) -> ReadinessCheck {
    let site = site.clone();
    ReadinessCheck::new("keys", move || {
        let has_key = site.app.keys.active_key().is_some();
        async move { if has_key { Ok(()) } else { Err("no key signs") } }
    })
}

async fn serve_public(
    listeners: Listeners,
    router: Router,
    tls: Option<Arc<TlsFiles>>,
    limits: ListenerLimits,
    shutdown: Shutdown,
) {
    let cut = listeners.serve(router, tls, limits, shutdown).await;
    if cut > 0 {
        tracing::warn!(connections = cut, "requests took too long to finish and were cut off");
    }
}

fn public_limits(configuration: &Configuration) -> ListenerLimits {
    let mut connections = configuration.limits.connections;
    if let Some(files) = process::raise_file_limit() {
        let possible = usize::try_from(files.saturating_sub(OWN_FILES).max(1)).unwrap_or(usize::MAX);
        if possible < connections {
            tracing::warn!(
                setting = "limits.connections",
                possible,
                "the limit of open files allows fewer connections"
            );
            connections = possible;
        }
    }
    ListenerLimits {
        connections,
        connections_per_address: configuration.limits.connections_per_address,
        proxies: configuration.trusted_proxies.clone(),
        ..ListenerLimits::default()
    }
}

fn announce(configuration: &Configuration, public: &Listeners, private: &Listeners) {
    let shown =
        |listeners: &Listeners| listeners.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    tracing::info!(
        version = crate::cli::VERSION,
        public_url = configuration.public_url.as_str(),
        listen = shown(public),
        ops_listen = shown(private),
        database = if configuration.is_sqlite() { "SQLite" } else { "PostgreSQL" },
        "serving"
    );
}

fn watch_certificate(supervisor: &Supervisor, tls: &Arc<TlsFiles>) {
    let tls = Arc::clone(tls);
    supervisor.spawn("certificate watch", TLS_INTERVAL, move || {
        let tls = Arc::clone(&tls);
        async move {
            let changed = tokio::task::spawn_blocking(move || tls.reload_if_changed()).await;
            let reloaded = count_reload(changed.map_err(|error| TaskError::new(&error))?);
            reloaded.map(drop).map_err(|error| TaskError::new(&error))
        }
    });
}

/// Counts and logs a changed certificate; the caller logs a failure.
fn count_reload<E>(result: Result<bool, E>) -> Result<bool, E> {
    let outcome = match result {
        Ok(false) => return result,
        Ok(true) => "taken",
        Err(_) => "refused",
    };
    metrics::counter!("tls_reloads_total", "outcome" => outcome).increment(1);
    if result.is_ok() {
        tracing::info!("a changed certificate is in use");
    }
    result
}

/// Whoever asks for it hears what came of it.
fn reload_when_told(tls: &TlsFiles) {
    match count_reload(tls.reload()) {
        Ok(true) => {}
        Ok(false) => tracing::info!("the certificate in the file is the one in use"),
        Err(error) => tracing::error!(%error, "the certificate cannot be used; the old one stays"),
    }
}

/// The first SIGTERM or SIGINT drains, a second one ends at once; SIGHUP reads the certificate again.
fn follow_signals(source: ShutdownSource, tls: Option<Arc<TlsFiles>>) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        let mut draining = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hang_up.recv() => {
                    if let Some(tls) = &tls {
                        reload_when_told(tls);
                    }
                    continue;
                }
            }
            if draining {
                tracing::warn!("told again to end: cutting off what is under way");
                source.end();
            } else {
                tracing::info!("told to end: finishing what is under way");
                source.drain();
                draining = true;
            }
        }
    })
}
