//! Proof of possession (RFC 9449): a token that is bound to a key is worth nothing without a fresh signature of it.

mod address;
mod compact;
mod proof;
mod replay;

pub use proof::{DpopRefusal, Proof, ProofSettings};
pub use replay::{MemoryReplays, ProofId, Remembered, ReplayError, ReplayStore};
