//! The integration tests: the real application in process, on both databases. Modules mirror the routes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod journey;
