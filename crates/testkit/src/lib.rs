//! Starts the real application in process, on either database, with a clock and randomness that tests hold, and gives
//! them people to act with: [`ApiClient`], [`Browser`], [`Operator`] and the [`Mailbox`](mailbox::Letter).
//!
//! Every answer goes through one [`check`], whoever asked for it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "a harness fails by panicking"
)]

pub mod answer;
pub mod api_client;
pub mod browser;
pub mod canaries;
pub mod check;
pub mod clock;
pub mod database;
pub mod faults;
pub mod html;
pub mod mailbox;
pub mod operator;
pub mod request;
pub mod seeded;
pub mod served;
pub mod world;

pub use answer::Answer;
pub use api_client::ApiClient;
pub use browser::Browser;
pub use database::Engine;
pub use mailbox::Letter;
pub use operator::Operator;
pub use served::Served;
pub use world::{Setup, World, both, both_with, only_on};
