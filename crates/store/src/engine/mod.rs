//! The two engines: on which thread and in which commit a closure runs.

pub(crate) mod moment;
pub(crate) mod postgres;
mod queue;
pub(crate) mod sqlite;
mod threads;
mod work;

pub(crate) use work::{Closure, Work};

use crate::Gauges;

/// Either engine.
pub(crate) enum Engine {
    Sqlite(sqlite::SqliteEngine),
    Postgres(postgres::PostgresEngine),
}

impl Engine {
    pub(crate) fn read(&self, work: Box<dyn Work>) {
        match self {
            Self::Sqlite(engine) => engine.read(work),
            Self::Postgres(engine) => engine.read(work),
        }
    }

    pub(crate) fn write(&self, work: Box<dyn Work>) {
        match self {
            Self::Sqlite(engine) => engine.write(work, false),
            Self::Postgres(engine) => engine.write(work, false),
        }
    }

    /// As [`Engine::write`] without a time budget.
    pub(crate) fn write_unlimited(&self, work: Box<dyn Work>) {
        match self {
            Self::Sqlite(engine) => engine.write(work, true),
            Self::Postgres(engine) => engine.write(work, true),
        }
    }

    pub(crate) fn shut(&self) {
        match self {
            Self::Sqlite(engine) => engine.shut(),
            Self::Postgres(engine) => engine.shut(),
        }
    }

    pub(crate) async fn ended(&self) {
        match self {
            Self::Sqlite(engine) => engine.ended().await,
            Self::Postgres(engine) => engine.ended().await,
        }
    }

    pub(crate) fn gauges(&self) -> Gauges {
        match self {
            Self::Sqlite(engine) => engine.gauges(),
            Self::Postgres(engine) => engine.gauges(),
        }
    }
}
