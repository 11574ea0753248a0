//! The deployment's keys: what seals, what signs, what tokens are made of.

pub mod sealing;

#[cfg(test)]
mod tests;
