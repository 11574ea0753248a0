//! Requests to other servers: the one client, and who uses it.

pub mod breached_passwords;
mod client;
pub mod client_documents;
pub mod logout_messages;
mod reach;

pub use client::{Client, OutboundError, OutboundUrl, OutboundUrlError};
