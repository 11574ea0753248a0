//! The generic cell rate algorithm: one number per counter, the time at which it would be empty again.

use doorward_model::time::Timestamp;

const NS_PER_MS: i64 = 1_000_000;
const MINUTE_NS: f64 = 60e9;

/// A limit: so many in a row, and one more each interval.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Nanoseconds that one request costs.
    interval_ns: i64,
    /// Requests that may come at once.
    burst: u32,
}

/// Where a subject stands under its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether this request is within the limit.
    pub is_allowed: bool,
    /// How many may come at once when the counter is full.
    pub burst: u32,
    /// Seconds (rounded up) in which a full burst is earned back.
    pub window_seconds: u32,
    /// How many more may come now.
    pub remaining: u32,
    /// Seconds (rounded up) until one more may come; zero when one may come now.
    pub retry_after_seconds: u32,
    /// Seconds (rounded up) until the counter is full again.
    pub full_after_seconds: u32,
}

impl Quota {
    /// `per_minute` requests a minute and `burst` at once, both multiplied by `scale`.
    #[expect(clippy::cast_possible_truncation, reason = "float casts saturate, and the results are clamped")]
    #[expect(clippy::cast_sign_loss, reason = "both factors are positive")]
    pub fn per_minute(per_minute: u32, burst: u32, scale: f64) -> Self {
        let interval_ns = (MINUTE_NS / (f64::from(per_minute.max(1)) * scale)) as i64;
        let burst = (f64::from(burst) * scale) as u32;
        Self { interval_ns: interval_ns.clamp(1, 3_600_000_000_000), burst: burst.clamp(1, 1_000_000_000) }
    }

    /// Judges a request at `now` given when the counter would be empty (`None`: never used), and says when it is
    /// empty after it. A refused request costs nothing.
    pub fn charge(self, empty_at_ns: Option<i64>, now: Timestamp) -> (Standing, i64) {
        let now_ns = now_ns(now);
        let debt = self.debt_ns(empty_at_ns, now_ns);
        let is_allowed = debt.saturating_add(self.interval_ns) <= self.capacity_ns();
        let debt = if is_allowed { debt + self.interval_ns } else { debt };
        (self.standing(is_allowed, debt), now_ns.saturating_add(debt))
    }

    /// Where the subject stands, without a request.
    pub fn look(self, empty_at_ns: Option<i64>, now: Timestamp) -> Standing {
        let debt = self.debt_ns(empty_at_ns, now_ns(now));
        self.standing(debt.saturating_add(self.interval_ns) <= self.capacity_ns(), debt)
    }

    /// What is owed at `now`: never more than the capacity. More than that means that the clock was set back; from twice
    /// the capacity on it is forgotten, so that nobody waits longer than two windows for the clock to catch up.
    fn debt_ns(self, empty_at_ns: Option<i64>, now_ns: i64) -> i64 {
        let (capacity, ahead) = (self.capacity_ns(), empty_at_ns.map_or(0, |at| at.saturating_sub(now_ns)));
        if ahead > capacity.saturating_mul(2) { 0 } else { ahead.clamp(0, capacity) }
    }

    fn capacity_ns(self) -> i64 {
        self.interval_ns.saturating_mul(i64::from(self.burst))
    }

    fn standing(self, is_allowed: bool, debt_ns: i64) -> Standing {
        let free_ns = self.capacity_ns() - debt_ns;
        let missing_ns = (self.interval_ns - free_ns).max(0);
        Standing {
            is_allowed,
            burst: self.burst,
            window_seconds: seconds_up(self.capacity_ns()).max(1),
            remaining: u32::try_from(free_ns / self.interval_ns).unwrap_or(u32::MAX),
            retry_after_seconds: seconds_up(missing_ns),
            full_after_seconds: seconds_up(debt_ns),
        }
    }
}

pub(super) fn now_ns(now: Timestamp) -> i64 {
    now.as_ms().saturating_mul(NS_PER_MS)
}

fn seconds_up(ns: i64) -> u32 {
    u32::try_from(ns.saturating_add(999_999_999) / 1_000_000_000).unwrap_or(u32::MAX)
}
