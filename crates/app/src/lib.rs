//! Use cases: one method per thing that can happen. This layer decides and owns the transaction; it knows
//! neither HTTP nor SQL.

pub mod authentication;
pub mod devices;
pub mod hashing;
pub mod keys;
pub mod mail;
pub mod mail_budget;
pub mod op;
#[cfg(test)]
mod test_database;
pub mod text;
pub mod throttle;
