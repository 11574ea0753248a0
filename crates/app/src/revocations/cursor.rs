//! Where a follower is: how far it has read what each node tells. It is opaque to followers, and nothing in it is secret or
//! trusted: whoever makes one up is told too little or too much, nobody else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::time::Timestamp;

/// The longest cursor in bytes.
const MOST_BYTES: usize = 200;
/// Nodes of which a cursor remembers how far they were read.
const MOST_STREAMS: usize = 4;
/// The first byte: what the rest means.
const VERSION: u8 = 1;

/// How far a follower has read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    /// By run of a node, the one that answered last in front: the position behind what it has told.
    streams: Vec<(u64, u64)>,
    /// Everything that was committed at this time has been told by one or another.
    seen: Timestamp,
}

impl Cursor {
    /// Of a follower that has read nothing but this.
    pub(super) fn new(instance: u64, position: u64, seen: Timestamp) -> Self {
        Self { streams: vec![(instance, position)], seen }
    }

    /// Reads what [`Self::to_text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let ([VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (seen, streams) = rest.split_first_chunk()?;
        let (streams, rest) = streams.as_chunks::<16>();
        if !rest.is_empty() || streams.is_empty() || streams.len() > MOST_STREAMS {
            return None;
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let streams = streams.iter().map(|stream| (number(&stream[..8]), number(&stream[8..]))).collect();
        Some(Self { streams, seen: Timestamp::from_ms(i64::from_be_bytes(*seen)) })
    }

    /// As followers hold it.
    pub(super) fn to_text(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.seen.as_ms().to_be_bytes());
        for (instance, position) in &self.streams {
            bytes.extend(instance.to_be_bytes());
            bytes.extend(position.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// How far this run of a node was read.
    pub(super) fn position_in(&self, instance: u64) -> Option<u64> {
        self.streams.iter().find(|(of, _)| *of == instance).map(|(_, position)| *position)
    }

    /// What was committed at this time has been told.
    pub(super) const fn seen(&self) -> Timestamp {
        self.seen
    }

    /// The same after reading on at one node.
    #[must_use]
    pub(super) fn moved(&self, instance: u64, position: u64, seen: Timestamp) -> Self {
        let others = self.streams.iter().filter(|(of, _)| *of != instance).take(MOST_STREAMS - 1);
        let mut streams = vec![(instance, position)];
        streams.extend(others);
        Self { streams, seen: seen.max(self.seen) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_remembers_several_nodes_and_forgets_the_one_that_answered_longest_ago() {
        let mut cursor = Cursor::new(1, 10, Timestamp::from_ms(5));
        for instance in 2..=5 {
            cursor = cursor.moved(instance, instance * 10, Timestamp::from_ms(4));
        }
        assert_eq!(cursor.position_in(1), None);
        assert_eq!(cursor.moved(3, 31, Timestamp::from_ms(9)).position_in(3), Some(31));
        assert_eq!(cursor.seen(), Timestamp::from_ms(5));
        assert_eq!(cursor.position_in(2), Some(20));
        assert!(cursor.to_text().len() <= MOST_BYTES);
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let fine = Cursor::new(1, 2, Timestamp::from_ms(3)).to_text();
        assert!(Cursor::parse(&fine).is_some());
        for text in
            ["", "A", "AQ", "AQAAAAAAAAAA", &fine[1..], &format!("{fine}A"), &format!("{fine}="), "\u{e4}", "' OR 1"]
        {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
        let other_version = format!("Ag{}", &fine[2..]);
        assert_eq!(Cursor::parse(&other_version), None);
        assert_eq!(Cursor::parse(&"A".repeat(MOST_BYTES + 4)), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[A-Za-z0-9_-]{0,120}") {
            if let Some(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.to_text(), text);
            }
        }
    }
}
