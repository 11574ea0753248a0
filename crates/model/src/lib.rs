//! Plain types and rules. Nothing here waits, reads a clock, draws a random number by itself or touches
//! a file: time and randomness come in as values and traits.

pub mod device;
pub mod email;
pub mod id;
pub mod locale;
pub mod name;
pub mod network;
pub mod password;
pub mod random;
pub mod rotation;
pub mod secret;
pub mod throttle;
pub mod time;
pub mod token;
