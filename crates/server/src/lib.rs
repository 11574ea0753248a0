//! The doorward binary: configuration, command line, wiring, listeners.

pub mod configuration;
