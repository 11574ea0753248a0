//! The doorward binary: configuration, command line, wiring, listeners.

pub mod check;
pub mod configuration;
pub mod data_dir;
pub mod listeners;
pub mod mail;
pub mod master_key;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
