//! What the process tells its operators: log lines, metrics, health; and where it takes time and randomness from.

mod early;
pub mod health;
mod lines;
pub mod logging;
pub mod metering;
pub mod operations;
pub mod panics;
pub mod process;
pub mod sources;
