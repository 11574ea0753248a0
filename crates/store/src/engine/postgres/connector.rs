//! Makes connections as the URL and the options say.

use std::time::Duration;

use postgres::{Client, Config, NoTls};

use super::PostgresOptions;
use super::error::translate;
use crate::StoreError;
use crate::tx::Session;

pub(super) struct Connector {
    config: Config,
    statement_timeout: Duration,
}

impl Connector {
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error| translate("url", &error).1)?;
        if let Some(password) = &options.password {
            config.password(password.reveal());
        }
        Ok(Self { config, statement_timeout: options.statement_timeout })
    }

    pub(super) fn connect(&self) -> Result<Session, StoreError> {
        let mut client: Client = self.config.connect(NoTls).map_err(|error| translate("connect", &error).1)?;
        client.batch_execute(&self.settings()).map_err(|error| translate("settings", &error).1)?;
        Ok(Session::new(client))
    }

    /// Reads run outside a transaction block, so the session is read-only by default and a write says so.
    fn settings(&self) -> String {
        let statement_ms = self.statement_timeout.as_millis();
        format!(
            "SET statement_timeout = {statement_ms};
             SET lock_timeout = {statement_ms};
             SET idle_in_transaction_session_timeout = {};
             SET default_transaction_isolation = 'read committed';
             SET default_transaction_read_only = on;
             SET client_min_messages = warning;
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            statement_ms.saturating_mul(2)
        )
    }
}
