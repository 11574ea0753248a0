//! The doorward binary: configuration, command line, wiring, listeners.

pub mod configuration;
pub mod listeners;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
