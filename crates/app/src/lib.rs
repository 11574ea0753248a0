//! Use cases: one method per thing that can happen. This layer decides and owns the transaction; it knows
//! neither HTTP nor SQL.

pub mod authentication;
pub mod hashing;
pub mod keys;
pub mod mail;
pub mod op;
pub mod text;
pub mod devices;
pub mod mail_budget;
pub mod op;
pub mod throttle;

#[cfg(test)]
mod test_database;
