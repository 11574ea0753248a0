//! Access tokens checked at the resource server.

#![forbid(unsafe_code)]

mod address;
pub mod client;
mod clock;
pub mod dpop;
mod json;
pub mod keys;
mod observe;
#[cfg(test)]
mod testing;

pub use clock::{Clock, SystemClock};
pub use keys::Algorithm;
pub use observe::{KeysEvent, Observer};
