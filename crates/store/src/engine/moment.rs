//! The monotonic clock, for deadlines and measurements of the engine itself; never for anything stored.

use std::time::Instant;

/// Now, on a clock that only moves forward.
#[expect(
    clippy::disallowed_methods,
    reason = "deadlines of queues and queries are about real waiting; no decision of the product reads them"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
