//! The traps of two databases behind one interface, each with its test.

mod attempts;
mod basics;
mod clients;
mod closing;
mod codes;
mod consents;
mod migrations;
mod passwords;
mod portable;
mod postgres;
mod schema;
mod sessions;
mod sqlite;
mod support;
mod tls;
mod used_ids;
