//! The traps of two databases behind one interface, each with its test.

mod basics;
mod closing;
mod postgres;
mod sqlite;
mod support;
