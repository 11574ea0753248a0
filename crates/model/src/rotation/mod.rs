//! The rotating credential behind refresh tokens: one row per family for its whole life, no table of old
//! tokens, and no token stored.
//!
//! `token` is the text a client holds and its MAC; `decision` says what presenting one generation means.
//! Both are pure: the caller reads the row, asks, and carries out the answer as one conditional UPDATE.
//!
//! What rotation gives, and what it does not. With [`Rotation::Recover`] a lost answer never signs anyone out,
//! provided the client aborts a renewal before the overlap ends and keeps one in flight. A request that an
//! intermediary delivers after its client gave up counts as in flight. A copy is found when its two holders
//! present outside one overlap of each other. A thief who shadows every renewal inside the overlap is not found
//! by rotation; only a bound key stops that. A thief who gets a predecessor before its successor was shown can
//! act until the owner's next renewal.

mod decision;
mod token;

pub use decision::{Counters, Decision, Family, Generation, Reuse, Rotation, Step};
pub use token::{Epoch, MacKey, PresentedToken, Salt};

#[cfg(test)]
mod tests;
