//! Request-rate limits: a generic cell rate algorithm (GCRA) over the injected time, kept in bounded memory.
//!
//! Whoever is not signed in counts by address (an IPv6 network of 64 bits is one source), whoever is by session.
//! Credentials that turn out invalid count strictly by address as well. These limits protect the machine; guessing
//! passwords is throttled elsewhere, by account and network, in the database.

mod gcra;
mod store;

use std::net::IpAddr;

use doorward_model::id::SessionId;
use doorward_model::time::Timestamp;

use self::gcra::Quota;
pub use self::gcra::Standing;
use self::store::Cells;
use crate::route::RateClass;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// One IPv4 address.
    V4(u32),
    /// One IPv6 network of 64 bits.
    V6Network(u64),
    /// One session.
    Session([u8; 16]),
    /// Requests whose address is not known.
    Unknown,
}

impl Subject {
    pub(crate) fn of_address(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6Network((a << 48) | (b << 32) | (c << 16) | d)
            }
        }
    }

    pub(crate) fn of_session(session: &SessionId) -> Self {
        Self::Session(*session.uuid())
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Meter {
    Requests(RateClass),
    InvalidCredentials,
}

/// All counters of this node.
pub struct RateLimits {
    scale: f64,
    cells: Cells<(Meter, Subject)>,
}

/// A limited request's place under its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charged {
    pub(crate) standing: Standing,
    pub(crate) name: &'static str,
}

impl RateLimits {
    /// Empty counters; `scale` multiplies every limit (and is at least a thousandth).
    pub fn new(scale: f64) -> Self {
        Self { scale: scale.max(0.001), cells: Cells::new() }
    }

    /// Counts a request of `class`.
    pub(crate) fn charge(&self, class: RateClass, subject: Subject, now: Timestamp) -> Charged {
        let quota = self.quota(Meter::Requests(class), subject);
        let standing = self.cells.charge((Meter::Requests(class), subject), quota, now);
        Charged { standing, name: class_name(class) }
    }

    /// Counts a credential that turned out invalid.
    pub(crate) fn charge_invalid_credential(&self, subject: Subject, now: Timestamp) {
        let quota = self.quota(Meter::InvalidCredentials, subject);
        self.cells.charge((Meter::InvalidCredentials, subject), quota, now);
    }

    /// Where `subject` stands with invalid credentials, without counting anything.
    pub(crate) fn look_at_invalid_credentials(&self, subject: Subject, now: Timestamp) -> Charged {
        let quota = self.quota(Meter::InvalidCredentials, subject);
        let standing = self.cells.look((Meter::InvalidCredentials, subject), quota, now);
        Charged { standing, name: "invalid-credential" }
    }

    /// Forgets every counter that is back to full; a background task calls it once a minute. Returns how many remain.
    pub fn sweep(&self, now: Timestamp) -> usize {
        self.cells.sweep(now)
    }

    fn quota(&self, meter: Meter, subject: Subject) -> Quota {
        let is_session = matches!(subject, Subject::Session(_));
        let (per_minute, burst) = match (meter, is_session) {
            (Meter::Requests(RateClass::Static | RateClass::Metadata), _) => (1200, 600),
            (Meter::Requests(RateClass::Read), false) => (120, 120),
            (Meter::Requests(RateClass::Read), true) => (600, 200),
            (Meter::Requests(RateClass::Write), false) | (Meter::Requests(RateClass::Renewal), true) => (60, 60),
            (Meter::Requests(RateClass::Write), true) => (120, 60),
            (Meter::Requests(RateClass::Credential), false) => (30, 60),
            (Meter::Requests(RateClass::Credential), true) => (30, 30),
            // Many people renew from behind one address; the strict limits are per family and on invalid tokens.
            (Meter::Requests(RateClass::Renewal), false) => (1200, 1200),
            (Meter::InvalidCredentials, _) => (20, 20),
        };
        Quota::per_minute(per_minute, burst, self.scale)
    }
}

fn class_name(class: RateClass) -> &'static str {
    match class {
        RateClass::Static => "static",
        RateClass::Metadata => "metadata",
        RateClass::Read => "read",
        RateClass::Write => "write",
        RateClass::Credential => "credential",
        RateClass::Renewal => "renewal",
    }
}

#[cfg(test)]
mod tests;
