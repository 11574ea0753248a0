//! The integration tests: the real application in process, on both databases. Modules mirror the routes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod at_rest;
mod breached_passwords;
mod credentials;
mod events;
mod faults;
mod injection;
mod journey;
mod key_rotation;
mod languages;
mod mail_budget;
mod manual;
mod pages;
mod passwords;
mod people;
mod profile;
mod provider;
mod renewal;
mod resource_server;
mod revocation_feed;
mod route_table;
mod sessions;
mod setup;
mod sign_in;
mod signup;
mod throttle;
mod told;
mod wire;
mod wrong_kinds;
