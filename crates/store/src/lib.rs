//! SQL, migrations and the two database engines.

pub mod attempts;
mod catalog;
mod cell;
mod durability;
mod engine;
mod error;
pub mod known_devices;
pub mod mail_budgets;
pub mod migrations;
mod statement;
mod store;
mod tx;
mod value;

pub use catalog::all_statements;
pub use cell::{Cell, FromColumn};
pub use durability::Durability;
pub use engine::postgres::PostgresOptions;
pub use engine::sqlite::SqliteOptions;
pub use error::{Fault, StoreError};
pub use statement::Statement;
pub use store::{Gauges, Store};
pub use tx::{Row, Tx};
pub use value::Value;

#[cfg(test)]
mod tests;
