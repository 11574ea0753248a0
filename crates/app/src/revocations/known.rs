//! Which entries of the last minute this node has read.

use std::collections::{BTreeMap, HashSet};

use doorward_model::id::RevocationId;
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_store::revocations::Revoked;

/// The ids of entries, by the second they are dated in.
#[derive(Default)]
pub(super) struct Known {
    seconds: BTreeMap<i64, HashSet<RevocationId>>,
}

impl Known {
    /// The spans of time in which the database counts other entries than are known: begin and end.
    pub(super) fn spans(&self, counts: &[(Timestamp, u64)]) -> Vec<(Timestamp, Timestamp)> {
        let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut is_open = false;
        for (begin, count) in counts {
            let known = self.seconds.get(&begin.as_seconds()).map_or(0, HashSet::len);
            if u64::try_from(known) == Ok(*count) {
                is_open = false;
                continue;
            }
            let end = begin.plus_ms(SECOND_MS);
            match spans.last_mut().filter(|_| is_open) {
                Some(span) => span.1 = end,
                None => spans.push((*begin, end)),
            }
            is_open = true;
        }
        spans
    }

    /// Notes an entry; whether it is new. What is dated before `remember_from` is not kept: no later look counts it.
    pub(super) fn insert(&mut self, entry: &Revoked, remember_from: Timestamp) -> bool {
        let second = entry.at.as_seconds();
        if second < remember_from.as_seconds() {
            return self.seconds.get(&second).is_none_or(|ids| !ids.contains(&entry.id));
        }
        self.seconds.entry(second).or_default().insert(entry.id)
    }

    /// Gives back the memory of what no later look counts.
    pub(super) fn forget_before(&mut self, time: Timestamp) {
        self.seconds = self.seconds.split_off(&time.as_seconds());
    }
}

#[cfg(test)]
mod tests {
    use doorward_store::revocations::RevokedKind;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn entry(number: u8, ms: i64) -> Revoked {
        let id = RevocationId::from_uuid([number; 16]);
        Revoked { id, kind: RevokedKind::Session, subject: String::new(), at: at(ms) }
    }

    #[test]
    fn only_seconds_with_more_entries_are_read_again() {
        let mut known = Known::default();
        assert!(known.insert(&entry(1, 1_500), at(0)));
        assert!(!known.insert(&entry(1, 1_500), at(0)));
        assert!(known.insert(&entry(2, 2_000), at(0)));
        let spans = known.spans(&[(at(1_000), 2), (at(2_000), 1), (at(5_000), 1), (at(7_000), 3)]);
        assert_eq!(spans, [(at(1_000), at(2_000)), (at(5_000), at(8_000))]);
        assert_eq!(known.spans(&[(at(1_000), 1), (at(2_000), 1)]), []);
    }

    #[test]
    fn what_no_look_counts_any_more_takes_no_memory() {
        let mut known = Known::default();
        assert!(known.insert(&entry(1, 1_500), at(2_000)));
        assert!(known.insert(&entry(2, 2_500), at(2_000)));
        assert_eq!(known.seconds.len(), 1);
        known.forget_before(at(3_000));
        assert!(known.seconds.is_empty());
    }
}
