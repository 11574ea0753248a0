//! The entries that are told, in the order in which this node learned of them.
//!
//! At most [`MOST_ENTRIES`] are kept, 24 bytes each: 48 MB when full, in blocks that are made when they are needed. What does
//! not fit goes, the oldest first, and the log says from when on it is complete.

use std::collections::VecDeque;

use aws_lc_rs::digest;
use doorward_model::random::{self, Random};
use doorward_model::time::{SECOND_MS, Timestamp};
use doorward_store::revocations::{Revoked, RevokedKind};

/// Entries of one page.
pub(super) const PAGE: usize = 2_000;
/// Most entries kept.
const MOST_ENTRIES: usize = 2_000_000;

/// What a token says it by.
const KINDS: [&str; 6] = ["session", "grant", "token", "client", "subject", "key"];

/// One entry: what was revoked, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The beginning of the SHA-256 of the id.
    pub(super) hash: [u8; 16],
    /// The milliseconds, and in the lowest three bits the place in [`KINDS`].
    at_and_kind: i64,
}

impl Entry {
    /// The entry for a row; none for what only nodes look at.
    pub(super) fn of(row: &Revoked) -> Option<Self> {
        let kind = match row.kind {
            RevokedKind::Session => 0,
            RevokedKind::Grant => 1,
            RevokedKind::Token => 2,
            RevokedKind::Client => 3,
            RevokedKind::Subject => 4,
            RevokedKind::Key => 5,
            RevokedKind::User | RevokedKind::Credential => return None,
        };
        let digest = digest::digest(&digest::SHA256, row.subject.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest.as_ref()[..16]);
        Some(Self { hash, at_and_kind: row.at.as_ms().saturating_mul(8) | kind })
    }

    pub(super) fn kind(&self) -> &'static str {
        let place = usize::try_from(self.at_and_kind & 7).unwrap_or_default();
        KINDS.get(place).copied().unwrap_or_default()
    }

    pub(super) const fn at(&self) -> Timestamp {
        Timestamp::from_ms(self.at_and_kind >> 3)
    }
}

/// Entries that stand together.
struct Block {
    entries: Vec<Entry>,
    /// The latest time in it.
    newest: Timestamp,
    /// The latest time in it and before it.
    newest_so_far: Timestamp,
}

/// The log of one run of one node.
pub(super) struct Log {
    /// How long an entry matters, in milliseconds.
    matters_ms: i64,
    /// How much longer it is kept.
    margin_ms: i64,
    most: usize,
    /// Which run of which node this is: positions of another one say nothing here. None before the first look.
    instance: Option<u64>,
    /// All blocks but the last are full.
    blocks: VecDeque<Block>,
    /// The position of the first entry kept.
    first: u64,
    len: usize,
    looked_at: Option<Timestamp>,
    /// In seconds: entries about tokens from before it were dropped.
    incomplete_before: i64,
}

/// What one page says.
#[derive(Clone, Debug)]
pub(super) struct Excerpt {
    pub(super) instance: u64,
    pub(super) entries: Vec<Entry>,
    /// The position behind the last of them.
    pub(super) next: u64,
    /// Whether there are more.
    pub(super) has_more: bool,
    pub(super) as_of: Timestamp,
    /// In seconds.
    pub(super) complete_since: i64,
}

impl Log {
    /// An empty log whose entries matter for `matters_ms` and are kept for `margin_ms` more on either side.
    pub(super) fn new(matters_ms: i64, margin_ms: i64) -> Self {
        Self {
            matters_ms,
            margin_ms,
            most: MOST_ENTRIES,
            instance: None,
            blocks: VecDeque::new(),
            first: 0,
            len: 0,
            looked_at: None,
            incomplete_before: 0,
        }
    }

    /// How long entries are kept.
    pub(super) const fn keep_ms(&self) -> i64 {
        self.matters_ms + 2 * self.margin_ms
    }

    /// The position behind the newest entry.
    pub(super) fn end(&self) -> u64 {
        self.first + self.len as u64
    }

    /// Which run of which node this is, once it has looked.
    pub(super) const fn instance(&self) -> Option<u64> {
        self.instance
    }

    /// When the last look that succeeded began.
    pub(super) const fn looked_at(&self) -> Option<Timestamp> {
        self.looked_at
    }

    /// How many entries it has.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds entries.
    pub(super) fn extend(&mut self, entries: &[Entry]) {
        for entry in entries {
            if self.blocks.back().is_none_or(|block| block.entries.len() == PAGE) {
                let newest_so_far = self.blocks.back().map_or(entry.at(), |block| block.newest_so_far);
                self.blocks.push_back(Block { entries: Vec::new(), newest: entry.at(), newest_so_far });
            }
            if let Some(block) = self.blocks.back_mut() {
                block.entries.push(*entry);
                block.newest = block.newest.max(entry.at());
                block.newest_so_far = block.newest_so_far.max(entry.at());
                self.len += 1;
            }
        }
        while self.len > self.most {
            let Some(dropped) = self.drop_first() else { return };
            // Tokens that were young then may be listed among what was dropped.
            let until = dropped.plus_ms(self.margin_ms).as_seconds() + 1;
            self.incomplete_before = self.incomplete_before.max(until);
        }
    }

    /// Everything that was committed when the look of `now` began is in the log. What matters no more goes.
    pub(super) fn looked(&mut self, now: Timestamp, random: &dyn Random) {
        self.instance.get_or_insert_with(|| u64::from_be_bytes(random::bytes(random)));
        self.looked_at = Some(now);
        let before = now.plus_ms(-self.keep_ms());
        while self.blocks.front().is_some_and(|block| block.newest < before) {
            self.drop_first();
        }
    }

    /// Drops the first block, whatever fills it; the latest time in it.
    fn drop_first(&mut self) -> Option<Timestamp> {
        let block = self.blocks.pop_front()?;
        self.len -= block.entries.len();
        self.first += block.entries.len() as u64;
        Some(block.newest)
    }

    /// The position itself, if there is or will be something; else the nearest.
    pub(super) fn clamp(&self, position: u64) -> u64 {
        position.clamp(self.first, self.end())
    }

    /// A position before which everything is dated before `time`.
    pub(super) fn position_at(&self, time: Timestamp) -> u64 {
        let block = self.blocks.partition_point(|block| block.newest_so_far < time);
        (self.first + (block * PAGE) as u64).min(self.end())
    }

    /// A page from `position` on; none before the first look.
    pub(super) fn excerpt(&self, position: u64) -> Option<Excerpt> {
        let (instance, as_of) = (self.instance?, self.looked_at?);
        let position = self.clamp(position);
        let place = usize::try_from(position - self.first).unwrap_or(self.len);
        let mut entries = Vec::with_capacity(PAGE.min(self.len - place));
        for number in [place / PAGE, place / PAGE + 1] {
            let Some(block) = self.blocks.get(number) else { break };
            let (begin, wanted) = (place.saturating_sub(number * PAGE), PAGE - entries.len());
            entries.extend(block.entries.iter().skip(begin).take(wanted));
        }
        let next = position + entries.len() as u64;
        Some(Excerpt {
            instance,
            next,
            has_more: next < self.end(),
            entries,
            as_of,
            complete_since: self.incomplete_before.max(as_of.as_seconds() - self.matters_ms / SECOND_MS),
        })
    }
}

#[cfg(test)]
mod tests;
