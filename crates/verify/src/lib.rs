//! Access tokens checked at the resource server: keys, claims, proofs, revocation. For any OpenID Connect issuer.
//!
//! # A service in axum
//!
//! ```no_run
//! use axum::{Json, Router, routing::get};
//! use doorward_verify::{AccessToken, Issuer, Verifier};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::new("https://auth.example.com").audience("https://orders.example.com");
//! let verifier = Verifier::new(issuer)?;
//! let service: Router =
//!     Router::new().route("/whoami", get(async |token: AccessToken| Json(token))).layer(verifier.layer());
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8081").await?, service).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What a route demands
//!
//! ```
//! use axum::{Router, routing::get};
//! use doorward_verify::Requirement;
//!
//! let service: Router = Router::new()
//!     .route("/notes", get(async || "notes").layer(Requirement::scope("notes:read").layer()))
//!     .route("/admin", get(async || "hello").layer(Requirement::role("admin").layer()));
//! ```
//!
//! # What was revoked
//!
//! A Doorward server tells what it revoked. Whoever follows it refuses a token within two seconds of the end of its
//! session, and for the rest of the token's life.
//!
//! ```no_run
//! use doorward_verify::{Issuer, RevocationFeed, Verifier};
//!
//! # async fn example(client_id: &str, client_secret: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::new("https://auth.example.com")
//!     .audience("https://orders.example.com")
//!     .follow(RevocationFeed::with_secret(client_id, client_secret));
//! let verifier = Verifier::new(issuer)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Connections that stay open
//!
//! See [`Guard`].
//!
//! # Without a layer
//!
//! ```no_run
//! use doorward_verify::{Refusal, Verifier};
//!
//! # async fn example(verifier: Verifier, text: &str) {
//! match verifier.verify(text).await {
//!     Ok(token) => println!("{:?} of {}", token.subject(), token.issuer()),
//!     Err(Refusal::Unavailable(what)) => println!("ask again later: {what}"),
//!     Err(refusal) => println!("no: {refusal}"),
//! }
//! # }
//! ```
//!
//! # What it does not do
//!
//! Opaque tokens are for the issuer to judge (RFC 7662). Tokens in addresses and bodies are not looked for. Shared
//! secrets (`HS256`) and encrypted tokens are not taken.

#![forbid(unsafe_code)]

mod address;
mod builder;
mod cache;
mod claims;
pub mod client;
mod clock;
pub mod dpop;
#[cfg(feature = "axum")]
mod extract;
mod guard;
mod issuer;
mod json;
pub mod keys;
mod layer;
#[cfg(feature = "metrics")]
mod metrics;
mod observe;
mod refusal;
mod request;
mod requirement;
mod revocation;
#[cfg(test)]
mod testing;
mod token;
mod verifier;

pub use builder::{SettingsError, VerifierBuilder};
pub use claims::Claims;
pub use clock::{Clock, SystemClock};
pub use dpop::{MemoryReplays, ProofSettings, ReplayStore};
#[cfg(feature = "axum")]
pub use extract::TypedClaims;
pub use guard::{Ended, Guard};
pub use issuer::Issuer;
pub use keys::Algorithm;
pub use layer::{Require, RequireLayer, Verify, VerifyLayer};
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
pub use observe::{FeedEvent, KeysEvent, Observer, TokenEvent};
pub use refusal::{Lacking, Reason, Refusal, Scheme, Unavailable};
pub use requirement::Requirement;
pub use revocation::{Outage, RevocationFeed};
pub use verifier::{AccessToken, Verifier};
