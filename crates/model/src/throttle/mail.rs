//! How many mails strangers can make one address receive, and why they cannot spend what its owner needs.

use super::is_impossible;
use crate::time::{DAY_MS, HOUR_MS, Timestamp};

/// The budget of one address for mails that people without a known device ask for.
///
/// `per_hour` and `per_day` are what everybody together gets, however many networks ask. Part of both is kept for
/// networks that ask for this address for the first time in a day, so that one network, or a few, cannot spend
/// everything before the owner asks from another:
///
/// - of each hour, `kept_per_hour`;
/// - of each day, `kept_per_day`, and of these none sooner than `kept_pause_ms` after the mail before it.
///
/// The pause spreads them over the day. It is long enough that a flood from any number of networks cannot spend
/// the day before it ends, so whenever a new network is refused, a mail went out within the pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailBudget {
    /// Mails an hour.
    pub per_hour: i64,
    /// Mails a day.
    pub per_day: i64,
    /// Of those of an hour, how many only a new network gets.
    pub kept_per_hour: i64,
    /// Of those of a day, how many only a new network gets.
    pub kept_per_day: i64,
    /// How long after the mail before it one of `kept_per_day` is sent at the earliest.
    pub kept_pause_ms: i64,
}

/// What a row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailState {
    /// When the hour ends.
    pub hour_ends_at: Timestamp,
    /// Mails sent in it.
    pub hour_sent: i64,
    /// When the day ends.
    pub day_ends_at: Timestamp,
    /// Mails sent in it.
    pub day_sent: i64,
    /// When the newest mail was sent.
    pub last_sent_at: Timestamp,
}

/// What one kind of caller may have: the store's statement compares a row with these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailShare {
    /// Room while the hour has sent fewer.
    pub per_hour: i64,
    /// Room without a pause while the day has sent fewer.
    pub per_day_at_once: i64,
    /// Room after the pause while the day has sent fewer.
    pub per_day: i64,
}

impl MailBudget {
    /// The share of a network; `is_new` says that it asks for the first time in a day.
    pub const fn share(&self, is_new: bool) -> MailShare {
        let for_all = self.per_day - self.kept_per_day;
        if is_new {
            MailShare { per_hour: self.per_hour, per_day_at_once: for_all, per_day: self.per_day }
        } else {
            MailShare { per_hour: self.per_hour - self.kept_per_hour, per_day_at_once: for_all, per_day: for_all }
        }
    }

    /// Counts one mail, if there is room. `is_new` says that the network asks for the first time in a day.
    pub fn admit(&self, state: &mut Option<MailState>, now: Timestamp, is_new: bool) -> bool {
        let mut next = state.unwrap_or(MailState {
            hour_ends_at: now,
            hour_sent: 0,
            day_ends_at: now,
            day_sent: 0,
            last_sent_at: now,
        });
        if next.hour_ends_at <= now || is_impossible(next.hour_ends_at, now, HOUR_MS) {
            next = MailState { hour_ends_at: now.plus_ms(HOUR_MS), hour_sent: 0, ..next };
        }
        if next.day_ends_at <= now || is_impossible(next.day_ends_at, now, DAY_MS) {
            next = MailState { day_ends_at: now.plus_ms(DAY_MS), day_sent: 0, ..next };
        }
        let share = self.share(is_new);
        let is_paused =
            next.last_sent_at > now.plus_ms(-self.kept_pause_ms) && !is_impossible(next.last_sent_at, now, 0);
        let has_day = next.day_sent < share.per_day_at_once || (next.day_sent < share.per_day && !is_paused);
        if next.hour_sent >= share.per_hour || !has_day {
            return false;
        }
        next.hour_sent = next.hour_sent.saturating_add(1);
        next.day_sent = next.day_sent.saturating_add(1);
        next.last_sent_at = now;
        *state = Some(next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUDGET: MailBudget =
        MailBudget { per_hour: 3, per_day: 10, kept_per_hour: 1, kept_per_day: 4, kept_pause_ms: 5 * HOUR_MS };

    fn sent(requests: impl IntoIterator<Item = (i64, bool)>) -> Vec<bool> {
        let mut state = None;
        requests.into_iter().map(|(ms, is_new)| BUDGET.admit(&mut state, Timestamp::from_ms(ms), is_new)).collect()
    }

    fn count(sent: &[bool]) -> usize {
        sent.iter().filter(|sent| **sent).count()
    }

    /// Proves: A-27
    #[test]
    fn a_flood_from_ever_new_networks_sends_three_an_hour_and_ten_a_day() {
        let sent = sent((0..24 * 60).map(|minute| (minute * 60_000, true)));
        assert_eq!(count(&sent[..60]), 3);
        assert_eq!(count(&sent), 10);
    }

    /// Proves: A-27
    #[test]
    fn one_network_gets_two_an_hour_and_six_a_day() {
        let sent = sent((0..24 * 60).map(|minute| (minute * 60_000, minute == 0)));
        assert_eq!(count(&sent[..60]), 2);
        assert_eq!(count(&sent), 6);
    }

    #[test]
    fn the_owner_is_not_stopped_by_one_network_that_spent_its_share() {
        assert_eq!(sent([(0, true), (1, false), (2, false), (3, true), (4, true)]), [true, true, false, true, false]);
    }

    proptest! {
        /// Proves: A-27
        #[test]
        fn an_hour_sends_three_at_most_and_a_day_ten(
            requests in prop::collection::vec((0i64..600_000, any::<bool>()), 1..600)
        ) {
            let (mut state, mut now, mut hours, mut days) = (None, 0, Vec::new(), Vec::new());
            for (step, is_new) in requests {
                now += step;
                if BUDGET.admit(&mut state, Timestamp::from_ms(now), is_new) {
                    let state: MailState = state.unwrap();
                    hours.push(state.hour_ends_at);
                    days.push(state.day_ends_at);
                }
            }
            for end in &hours {
                prop_assert!(hours.iter().filter(|other| *other == end).count() <= 3);
            }
            for end in &days {
                prop_assert!(days.iter().filter(|other| *other == end).count() <= 10);
            }
        }

        /// However many networks flood an address, a mail goes out every five hours.
        #[test]
        fn a_new_network_is_refused_only_within_five_hours_of_a_mail(
            requests in prop::collection::vec((0i64..1_200_000, any::<bool>()), 1..400)
        ) {
            let (mut state, mut now, mut last) = (None, 0, None);
            for (step, is_new) in requests {
                now += step;
                if BUDGET.admit(&mut state, Timestamp::from_ms(now), is_new) {
                    last = Some(now);
                } else if is_new {
                    prop_assert!(last.is_some_and(|last| now - last < 5 * HOUR_MS));
                }
            }
        }
    }
}
