//! Open data for commands that act as an operator, beside a running server or without one.

use doorward_app::App;
use doorward_app::op::{Actor, Op};
use doorward_store::migrations;
use doorward_web::site::Site;

use super::failure::Failure;
use crate::background;
use crate::configuration::Configuration;
use crate::runtime::{Runtime, RuntimeError};
use crate::wiring;

/// The application over open data.
pub struct Opened {
    runtime: Runtime,
    site: Site,
}

impl Opened {
    /// Opens data that exists. A wrong folder is named instead of being filled with a new deployment.
    pub async fn existing(configuration: Configuration) -> Result<Self, Failure> {
        if configuration.is_sqlite() && !configuration.sqlite_file().exists() {
            return Err(Failure::new(format!(
                "there is no data in {}; name the data folder with --data-dir, or a database with --database-url",
                configuration.data_dir.display()
            )));
        }
        Self::or_new(configuration).await
    }

    /// Opens data, and begins a new deployment where there is none. The schema of one that is in use is left as it
    /// is.
    pub async fn or_new(configuration: Configuration) -> Result<Self, Failure> {
        let runtime = Runtime::open(configuration).await?;
        let status = migrations::status(&runtime.store).await?;
        if status.applied.is_empty() {
            migrations::run(&runtime.store).await?;
        } else if !status.pending.is_empty() {
            return Err(RuntimeError::SchemaBehind.into());
        }
        let site = wiring::wire(&runtime).await?.site;
        Ok(Self { runtime, site })
    }

    /// The use cases.
    pub fn app(&self) -> &App {
        &self.site.app
    }

    /// The context of an operator's act.
    pub fn op(&self) -> Op {
        Op { actor: Actor::Operator, ..background::op(&self.site, "command") }
    }

    /// Ends in good order.
    pub async fn close(self) {
        self.runtime.close().await;
    }
}
