//! Requests to other servers: the one client, and who uses it.

mod authorities;
pub mod breached_passwords;
mod client;
pub mod client_documents;
pub mod logout_messages;
mod reach;

pub use authorities::{Authorities, AuthoritiesError};
pub use client::{Client, OutboundError, OutboundUrl, OutboundUrlError};
