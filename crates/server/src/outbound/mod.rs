//! Requests to other servers: the one client, and who uses it.

pub mod breached_passwords;
mod client;
pub mod client_documents;
mod reach;

pub use client::{Client, OutboundError, OutboundUrl, OutboundUrlError};
