//! Access tokens checked at the resource server.

#![forbid(unsafe_code)]

pub mod client;
mod clock;
mod keys;
mod observe;

pub use clock::{Clock, SystemClock};
pub use observe::{KeysEvent, Observer};
