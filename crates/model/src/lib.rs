//! Plain types and rules. Nothing here waits, reads a clock, draws a random number by itself or touches
//! a file: time and randomness come in as values and traits.

pub mod id;
pub mod random;
pub mod rotation;
pub mod secret;
pub mod time;
pub mod token;
