//! How many mails strangers can make one address receive, and why they cannot spend what its owner needs.

use super::is_impossible;
use crate::time::{DAY_MS, HOUR_MS, Timestamp};

/// The budget of one address for mails that people without a known device ask for.
///
/// `per_hour` and `per_day` are everybody's. A network that asks for this address for the first time in a day
/// may go beyond them, within narrow bounds, so that one network cannot spend everything before the owner asks
/// from another:
///
/// - beyond the hour's budget once, if no more than one mail of this hour went to such a network;
/// - beyond the day's budget once an hour.
///
/// So whenever a new network is refused, a mail went out within the last hour, and its link still works as
/// long as links live an hour or more: no flood can leave the owner without a usable link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailBudget {
    /// Mails an hour.
    pub per_hour: i64,
    /// Mails a day.
    pub per_day: i64,
    /// With this many mails of the hour sent to new networks, the hour's budget is final.
    pub new_networks_per_hour: i64,
}

/// What a row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailState {
    /// When the hour ends.
    pub hour_ends_at: Timestamp,
    /// Mails sent in it.
    pub hour_sent: i64,
    /// Of those, to networks that asked for the first time in a day.
    pub hour_sent_to_new: i64,
    /// When the day ends.
    pub day_ends_at: Timestamp,
    /// Mails sent in it.
    pub day_sent: i64,
}

impl MailBudget {
    /// Counts one mail, if there is room. `is_new` says that the network asks for the first time in a day.
    pub fn admit(&self, state: &mut Option<MailState>, now: Timestamp, is_new: bool) -> bool {
        let mut next = state.unwrap_or(MailState {
            hour_ends_at: now,
            hour_sent: 0,
            hour_sent_to_new: 0,
            day_ends_at: now,
            day_sent: 0,
        });
        if next.hour_ends_at <= now || is_impossible(next.hour_ends_at, now, HOUR_MS) {
            next = MailState { hour_ends_at: now.plus_ms(HOUR_MS), hour_sent: 0, hour_sent_to_new: 0, ..next };
        }
        if next.day_ends_at <= now || is_impossible(next.day_ends_at, now, DAY_MS) {
            next = MailState { day_ends_at: now.plus_ms(DAY_MS), day_sent: 0, ..next };
        }
        if !self.has_room(next, is_new) {
            return false;
        }
        next.hour_sent = next.hour_sent.saturating_add(1);
        next.hour_sent_to_new = next.hour_sent_to_new.saturating_add(i64::from(is_new));
        next.day_sent = next.day_sent.saturating_add(1);
        *state = Some(next);
        true
    }

    const fn has_room(&self, state: MailState, is_new: bool) -> bool {
        if state.day_sent >= self.per_day {
            is_new && state.hour_sent == 0
        } else if state.hour_sent >= self.per_hour {
            is_new && state.hour_sent == self.per_hour && state.hour_sent_to_new < self.new_networks_per_hour
        } else {
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUDGET: MailBudget = MailBudget { per_hour: 3, per_day: 10, new_networks_per_hour: 2 };

    fn sent(requests: &[(i64, bool)]) -> Vec<bool> {
        let mut state = None;
        requests.iter().map(|(ms, is_new)| BUDGET.admit(&mut state, Timestamp::from_ms(*ms), *is_new)).collect()
    }

    /// Proves: A-27
    #[test]
    fn a_flood_from_many_networks_sends_three_an_hour() {
        let flood: Vec<_> = (0..1_000).map(|ms| (ms, true)).collect();
        assert_eq!(sent(&flood).into_iter().filter(|sent| *sent).count(), 3);
    }

    /// Proves: A-27
    #[test]
    fn one_network_gets_three_an_hour_and_ten_a_day() {
        let flood: Vec<_> = (0..24 * 60).map(|minute| (minute * 60_000, minute == 0)).collect();
        let sent = sent(&flood);
        assert_eq!(sent[..60].iter().filter(|sent| **sent).count(), 3);
        assert_eq!(sent.iter().filter(|sent| **sent).count(), 10);
    }

    #[test]
    fn the_owner_is_not_stopped_by_one_network_that_spent_the_hour() {
        assert_eq!(
            sent(&[(0, true), (1, false), (2, false), (3, false), (4, true), (5, true)]),
            [true, true, true, false, true, false]
        );
    }

    proptest! {
        #[test]
        fn an_hour_sends_four_at_most_and_a_day_thirty_four(
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
                prop_assert!(hours.iter().filter(|other| *other == end).count() <= 4);
            }
            for end in &days {
                prop_assert!(days.iter().filter(|other| *other == end).count() <= 34);
            }
        }

        /// Whoever is refused from a new network has a link that is at most an hour old.
        #[test]
        fn a_new_network_is_refused_only_within_an_hour_of_a_mail(
            requests in prop::collection::vec((0i64..1_200_000, any::<bool>()), 1..400)
        ) {
            let (mut state, mut now, mut last) = (None, 0, None);
            for (step, is_new) in requests {
                now += step;
                if BUDGET.admit(&mut state, Timestamp::from_ms(now), is_new) {
                    last = Some(now);
                } else if is_new {
                    prop_assert!(last.is_some_and(|last| now - last < HOUR_MS));
                }
            }
        }
    }
}
