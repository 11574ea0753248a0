//! How often something may happen: a generic cell rate algorithm (GCRA) over the injected time, kept in bounded memory.
//! The edge counts requests with it, and [`crate::tokens`] renewals.

mod cells;
mod gcra;

pub use self::cells::Cells;
pub use self::gcra::{Quota, Standing};

#[cfg(test)]
mod tests;
