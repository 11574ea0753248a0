//! Request-rate limits, counted with [`doorward_app::rate_limit`].
//!
//! Whoever is not signed in counts by address (an IPv6 network of 64 bits is one source), whoever is by session.
//! Credentials that are refused count by address as well. These limits protect the machine; guessing
//! passwords is throttled elsewhere, by account and network, in the database.

use std::net::IpAddr;

pub use doorward_app::rate_limit::Standing;
use doorward_app::rate_limit::{Cells, Quota};
use doorward_model::id::SessionId;
use doorward_model::time::Timestamp;

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
    Refused(Refused),
}

/// Why a credential was refused, as far as limits care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    /// A token that is none: somebody tries, so this is strict.
    Invalid,
    /// A session cookie that is not live (any more): browsers keep sending them, a whole office at once after a restore.
    Stale,
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
        Self { scale: scale.max(0.001), cells: Cells::default() }
    }

    /// Counts a request of `class`.
    pub(crate) fn charge(&self, class: RateClass, subject: Subject, now: Timestamp) -> Charged {
        let quota = self.quota(Meter::Requests(class), subject);
        let standing = self.cells.charge((Meter::Requests(class), subject), quota, now);
        Charged { standing, name: class_name(class) }
    }

    /// Counts a refused credential.
    pub(crate) fn charge_refused(&self, kind: Refused, subject: Subject, now: Timestamp) {
        let meter = Meter::Refused(kind);
        self.cells.charge((meter, subject), self.quota(meter, subject), now);
    }

    /// Where `subject` stands with refused credentials, without counting anything.
    pub(crate) fn look_at_refused(&self, kind: Refused, subject: Subject, now: Timestamp) -> Charged {
        let meter = Meter::Refused(kind);
        let standing = self.cells.look((meter, subject), self.quota(meter, subject), now);
        Charged { standing, name: "refused-credential" }
    }

    /// Forgets every counter that is back to full; a background task calls it once a minute. Returns how many remain.
    pub fn sweep(&self, now: Timestamp) -> usize {
        self.cells.sweep(now)
    }

    fn quota(&self, meter: Meter, subject: Subject) -> Quota {
        let is_session = matches!(subject, Subject::Session(_));
        let (per_minute, burst) = match meter {
            Meter::Requests(class) if is_session => session_limit(class),
            Meter::Requests(class) => address_limit(class),
            Meter::Refused(Refused::Invalid) => (30, 60),
            Meter::Refused(Refused::Stale) => (300, 300),
        };
        Quota::per_minute(per_minute, burst, self.scale)
    }
}

/// Requests a minute and at once, of one session.
fn session_limit(class: RateClass) -> (u32, u32) {
    match class {
        RateClass::Static | RateClass::Metadata => (1200, 600),
        RateClass::Read => (600, 200),
        RateClass::Write => (120, 60),
        RateClass::Credential => (30, 30),
        RateClass::Renewal => (60, 60),
    }
}

/// Requests a minute and at once, of everybody at one address who is not signed in.
fn address_limit(class: RateClass) -> (u32, u32) {
    match class {
        RateClass::Static | RateClass::Metadata => (1200, 600),
        RateClass::Read => (120, 120),
        RateClass::Write => (60, 60),
        RateClass::Credential => (30, 60),
        // Many people renew from behind one address; the strict limits are per family and on invalid tokens.
        RateClass::Renewal => (1200, 1200),
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
