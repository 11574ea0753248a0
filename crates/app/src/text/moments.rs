//! Times, spans and devices as people read them.

use doorward_model::device;
use doorward_model::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use time::OffsetDateTime;

use super::Texts;

const MONTHS: [&str; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8", "month-9", "month-10",
    "month-11", "month-12",
];

impl Texts {
    /// A point in time to the minute, in UTC: `22 November 2026, 02:44 UTC`.
    pub fn moment(&self, at: Timestamp) -> String {
        let Ok(date) = OffsetDateTime::from_unix_timestamp(at.as_seconds()) else {
            // Beyond the year 9999; the number is still the truth.
            return at.to_string();
        };
        let month = MONTHS[usize::from(u8::from(date.month())) - 1];
        let values = [
            ("day", u64::from(date.day()).into()),
            ("month", self.say(month).into()),
            ("year", date.year().to_string().into()),
            ("clock", format!("{:02}:{:02}", date.hour(), date.minute()).into()),
        ];
        self.say_with("time-full", &values).into_owned()
    }

    /// How long before `now` something was, rounded down in the largest unit: `5 minutes ago`. What lies less than a
    /// minute back, or ahead by a clock that differs, is `just now`.
    pub fn ago(&self, at: Timestamp, now: Timestamp) -> String {
        const UNITS: [(&str, i64); 5] = [
            ("ago-years", 365 * DAY_MS),
            ("ago-months", 30 * DAY_MS),
            ("ago-days", DAY_MS),
            ("ago-hours", HOUR_MS),
            ("ago-minutes", MINUTE_MS),
        ];
        let passed = now.since_ms(at).max(0);
        let unit = UNITS.into_iter().find(|(_, length)| passed >= *length);
        unit.map_or_else(
            || self.say("ago-moments"),
            |(id, length)| self.say_with(id, &[("count", (passed / length).unsigned_abs().into())]),
        )
        .into_owned()
    }

    /// A span to wait or to be valid, rounded up in the largest unit that still says it well: `45 seconds`,
    /// `2 minutes`.
    pub fn span(&self, seconds: u64) -> String {
        let (id, count) = match seconds {
            0..=90 => ("wait-seconds", seconds.max(1)),
            91..=5400 if seconds != 3600 => ("wait-minutes", seconds.div_ceil(60)),
            _ => ("wait-hours", seconds.div_ceil(3600)),
        };
        self.say_with(id, &[("count", count.into())]).into_owned()
    }

    /// A device label as [`device::label`] made it, with the words for an unknown one in this language.
    pub fn device(&self, label: &str) -> String {
        if label == device::UNKNOWN {
            return self.say("unknown-device").into_owned();
        }
        match label.strip_prefix(device::UNKNOWN).and_then(|rest| rest.strip_prefix(", ")) {
            Some(system) => self.say_with("unknown-device-on", &[("system", system.into())]).into_owned(),
            None => label.to_owned(),
        }
    }
}
