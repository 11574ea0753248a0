//! The table of decisions, the text of tokens, and what both promise together.

mod decisions;
mod properties;
mod race;
mod reference;
mod simulation;
mod text;
mod theft;
mod world;
