//! SQL, migrations and the two database engines.

pub mod attempts;
mod catalog;
mod cell;
pub mod client_sessions;
pub mod clients;
mod column;
pub mod consents;
pub mod database_clock;
pub mod deliveries;
pub mod device_requests;
mod durability;
mod engine;
mod error;
pub mod events;
pub mod grants;
pub mod known_devices;
pub mod leases;
pub mod mail_budgets;
pub mod meta;
pub mod migrations;
pub mod one_time_tokens;
pub mod pending_signups;
pub mod pushed_requests;
pub mod registrations;
pub mod revocations;
pub mod secret_keys;
pub mod sessions;
pub mod signing_keys;
mod statement;
mod store;
pub mod token_families;
mod tx;
pub mod used_ids;
pub mod users;
mod value;

pub use catalog::all_statements;
pub use cell::{Cell, FromColumn};
pub use durability::Durability;
pub use engine::postgres::{PostgresOptions, PostgresUrlReport, inspect_postgres_url};
pub use engine::sqlite::SqliteOptions;
pub use error::{Fault, StoreError};
pub use statement::Statement;
pub use store::{Gauges, Store};
pub use tx::{Row, Tx};
pub use value::Value;

#[cfg(test)]
mod tests;
