//! Every number of the throttle in one place. `docs/abuse-controls.md` shows the same table, and a test
//! compares them.

use thiserror::Error;

use super::{BackOff, Collapse, MailBudget, Run, Window};
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// The numbers of all limiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// Strangers' failures of one network, whatever the accounts.
    pub network: Window,
    /// Strangers' failures on one account from one network.
    pub pair: BackOff,
    /// Strangers' failures on one account from all networks.
    pub account: Window,
    /// Strangers' consecutive failures on one account.
    pub run: Run,
    /// How long an unfinished run of an account is remembered after its last failure.
    pub run_keep_ms: i64,
    /// Failures of one known device, or of one session whose holder shows the password again.
    pub device: BackOff,
    /// So many attempts of a device since its last success are admitted whatever its network does.
    pub device_guaranteed: i64,
    /// After so many consecutive failures a device is forgotten and counts as a stranger.
    pub device_forgotten_after: i64,
    /// Attempts of the known devices of one network beyond the guaranteed ones.
    pub device_network: Window,
    /// How often refusals of the same kind write an event.
    pub events: Collapse,
    /// Mails to one address that strangers ask for.
    pub mail: MailBudget,
    /// How often a network is new to an address.
    pub mail_pair: Window,
    /// Requests for mail from one network, whatever the addresses.
    pub mail_network: Window,
    /// Mails one known device asks for in an hour.
    pub mail_device_hour: Window,
    /// Mails one known device asks for in a day.
    pub mail_device_day: Window,
    /// How long rows of an address without an account live.
    pub row_life_ms: i64,
    /// With so many rows no new ones are made for accounts; then only networks (and runs of real accounts)
    /// are counted.
    pub max_rows: i64,
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self {
            network: Window { limit: 30, window_ms: 15 * MINUTE_MS },
            pair: BackOff { free: 5, base_ms: SECOND_MS, max_ms: HOUR_MS, forget_ms: DAY_MS },
            account: Window { limit: 100, window_ms: HOUR_MS },
            run: Run { limit: 100 },
            run_keep_ms: 365 * DAY_MS,
            device: BackOff { free: 10, base_ms: SECOND_MS, max_ms: HOUR_MS, forget_ms: 30 * DAY_MS },
            device_guaranteed: 3,
            device_forgotten_after: 100,
            device_network: Window { limit: 300, window_ms: HOUR_MS },
            events: Collapse { window_ms: MINUTE_MS, keep_ms: DAY_MS },
            mail: MailBudget {
                per_hour: 3,
                per_day: 10,
                kept_per_hour: 1,
                kept_per_day: 4,
                kept_pause_ms: 5 * HOUR_MS,
            },
            mail_pair: Window { limit: 1, window_ms: DAY_MS },
            mail_network: Window { limit: 50, window_ms: HOUR_MS },
            mail_device_hour: Window { limit: 3, window_ms: HOUR_MS },
            mail_device_day: Window { limit: 10, window_ms: DAY_MS },
            row_life_ms: DAY_MS,
            max_rows: 1_000_000,
        }
    }
}

/// A policy that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the sign-in throttle's `{0}` is out of range")]
pub struct InvalidPolicy(pub &'static str);

impl ThrottlePolicy {
    /// Checks that every limit lets something through, ends some day and keeps the hard bound of 100
    /// (NIST SP 800-63B-4 section 3.2.2).
    pub fn validate(&self) -> Result<(), InvalidPolicy> {
        for (name, value, least, most) in self.ranges() {
            if !(least..=most).contains(&value) {
                return Err(InvalidPolicy(name));
            }
        }
        Ok(())
    }

    /// Name and value of every number, as the manual shows them.
    pub fn numbers(&self) -> Vec<(&'static str, i64)> {
        self.ranges().into_iter().map(|(name, value, ..)| (name, value)).collect()
    }

    /// Name, value, least and greatest allowed value.
    fn ranges(&self) -> [(&'static str, i64, i64, i64); 34] {
        const MANY: i64 = 1_000_000;
        const YEARS: i64 = 10 * 365 * DAY_MS;
        [
            ("network.limit", self.network.limit, 1, MANY),
            ("network.window_ms", self.network.window_ms, SECOND_MS, DAY_MS),
            ("pair.free", self.pair.free, 1, 100),
            ("pair.base_ms", self.pair.base_ms, SECOND_MS, self.pair.max_ms),
            ("pair.max_ms", self.pair.max_ms, SECOND_MS, DAY_MS),
            ("pair.forget_ms", self.pair.forget_ms, self.pair.max_ms, DAY_MS),
            ("account.limit", self.account.limit, 1, MANY),
            ("account.window_ms", self.account.window_ms, SECOND_MS, DAY_MS),
            ("run.limit", self.run.limit, 1, 100),
            ("run_keep_ms", self.run_keep_ms, DAY_MS, YEARS),
            ("device.free", self.device.free, 1, 100),
            ("device.base_ms", self.device.base_ms, SECOND_MS, self.device.max_ms),
            ("device.max_ms", self.device.max_ms, SECOND_MS, DAY_MS),
            ("device.forget_ms", self.device.forget_ms, self.device.max_ms, YEARS),
            ("device_guaranteed", self.device_guaranteed, 1, self.device.free),
            ("device_forgotten_after", self.device_forgotten_after, self.device.free, 100),
            ("device_network.limit", self.device_network.limit, 1, MANY),
            ("device_network.window_ms", self.device_network.window_ms, SECOND_MS, DAY_MS),
            ("events.window_ms", self.events.window_ms, SECOND_MS, self.events.keep_ms),
            ("events.keep_ms", self.events.keep_ms, SECOND_MS, DAY_MS),
            ("mail.per_hour", self.mail.per_hour, 1, self.mail.per_day),
            ("mail.per_day", self.mail.per_day, 1, 100),
            ("mail.kept_per_hour", self.mail.kept_per_hour, 0, self.mail.per_hour - 1),
            ("mail.kept_per_day", self.mail.kept_per_day, 0, self.mail.per_day - 1),
            ("mail.kept_pause_ms", self.mail.kept_pause_ms, 0, DAY_MS),
            ("mail_pair.window_ms", self.mail_pair.window_ms, HOUR_MS, DAY_MS),
            ("mail_network.limit", self.mail_network.limit, 1, MANY),
            ("mail_network.window_ms", self.mail_network.window_ms, SECOND_MS, DAY_MS),
            ("mail_device_hour.limit", self.mail_device_hour.limit, 1, 100),
            ("mail_device_hour.window_ms", self.mail_device_hour.window_ms, HOUR_MS, HOUR_MS),
            ("mail_device_day.limit", self.mail_device_day.limit, 1, 100),
            ("mail_device_day.window_ms", self.mail_device_day.window_ms, DAY_MS, DAY_MS),
            ("row_life_ms", self.row_life_ms, HOUR_MS, DAY_MS),
            ("max_rows", self.max_rows, 1, 100 * MANY),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(ThrottlePolicy::default().validate(), Ok(()));
    }

    /// As the manual writes it: `15 min`, not 900000.
    fn shown(name: &str, value: i64) -> String {
        if !name.ends_with("_ms") {
            return value.to_string();
        }
        let units = [(DAY_MS, "day"), (HOUR_MS, "h"), (MINUTE_MS, "min"), (SECOND_MS, "s")];
        let (unit_ms, unit) = units.into_iter().find(|(unit_ms, _)| value % unit_ms == 0).unwrap();
        let amount = value / unit_ms;
        format!("{amount} {unit}{}", if unit == "day" && amount > 1 { "s" } else { "" })
    }

    /// Proves: V6.1.1
    #[test]
    fn the_manual_shows_every_number_and_no_other() {
        let manual = include_str!("../../../../docs/abuse-controls.md");
        let table: Vec<(String, String)> = manual
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| {
                let (name, rest) = line.split_once("` | ")?;
                Some((name.to_owned(), rest.split_once(" |")?.0.to_owned()))
            })
            .collect();
        let numbers: Vec<(String, String)> = ThrottlePolicy::default()
            .numbers()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), shown(name, value)))
            .collect();
        assert_eq!(table, numbers);
    }

    #[test]
    fn nobody_can_configure_more_than_a_hundred_consecutive_failures() {
        let policy = ThrottlePolicy { run: Run { limit: 101 }, ..ThrottlePolicy::default() };
        assert_eq!(policy.validate(), Err(InvalidPolicy("run.limit")));
    }
}
