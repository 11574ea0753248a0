//! Makes connections as the URL and the options say.

use std::time::Duration;

use postgres::{Client, Config, NoTls, config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresOptions;
use super::error::translate;
use super::tls::client_config;
use super::url::{DatabaseUrl, SslMode};
use crate::StoreError;
use crate::tx::Session;

/// How long sent data may stay unacknowledged, and when silence on the line becomes suspicious: a server that
/// vanished without a word is noticed within half a minute.
const UNANSWERED: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    statement_timeout: Duration,
}

impl Connector {
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let url = DatabaseUrl::parse(url)?;
        let tls = client_config(&url)?.map(MakeRustlsConnect::new);
        let mut config = url.config;
        config.ssl_mode(match url.ssl_mode {
            SslMode::Disable => config::SslMode::Disable,
            SslMode::Prefer => config::SslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => config::SslMode::Require,
        });
        if let Some(password) = &options.password {
            config.password(password.reveal());
        }
        if config.get_application_name().is_none() {
            config.application_name("doorward");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.connect_timeout);
        }
        config.tcp_user_timeout(UNANSWERED).keepalives_idle(UNANSWERED);
        config.keepalives_interval(KEEPALIVE_INTERVAL).keepalives_retries(3);
        Ok(Self { config, tls, statement_timeout: options.statement_timeout })
    }

    pub(super) fn connect(&self) -> Result<Session, StoreError> {
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        let mut client: Client = connected.map_err(|error| translate("connect", &error).1)?;
        client.batch_execute(&self.settings()).map_err(|error| translate("settings", &error).1)?;
        Ok(Session::new(client))
    }

    /// Reads run outside a transaction block, so the session is read-only by default and a write says so.
    fn settings(&self) -> String {
        let statement_ms = self.statement_timeout.as_millis();
        let idle_ms = statement_ms.saturating_mul(2);
        format!(
            "SET statement_timeout = {statement_ms};
             SET lock_timeout = {statement_ms};
             SET idle_in_transaction_session_timeout = {idle_ms};
             SET default_transaction_isolation = 'read committed';
             SET default_transaction_read_only = on;
             SET client_min_messages = warning;
             SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') = 'off'"
        )
    }
}
