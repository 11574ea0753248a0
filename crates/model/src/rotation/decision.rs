//! What presenting a generation of a family means.

use crate::time::Timestamp;

/// Numbers the tokens of a family in the order they were issued: 1 is the first. Zero stands for "none yet" in
/// [`Counters::presented`] and is never in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(i64);

impl Generation {
    /// No token of the family has been presented.
    pub const NONE: Self = Self(0);
    /// The generation of the first token.
    pub const FIRST: Self = Self(1);

    /// From the number in a row or a token; none when it is negative.
    pub const fn from_number(number: i64) -> Option<Self> {
        if number < 0 { None } else { Some(Self(number)) }
    }

    /// The number for a row.
    pub const fn number(self) -> i64 {
        self.0
    }

    fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// What to do when a predecessor comes again after the overlap although its successor was never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The answer was lost on the way: issue another successor. For first-party tokens.
    Recover,
    /// Two parties hold the family: end it. For OAuth clients (RFC 9700 section 4.14.2, ASVS 10.4.5).
    Strict,
    /// A token stays good until the family ends: it is bound to its client's key, which no copy has. Only for confidential
    /// clients with such a key (FAPI 2.0 section 5.3.2.1).
    Keep,
}

impl Rotation {
    /// The word in rows and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Strict => "strict",
            Self::Keep => "keep",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "recover" => Some(Self::Recover),
            "strict" => Some(Self::Strict),
            "keep" => Some(Self::Keep),
            _ => None,
        }
    }
}

/// The two numbers a family lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// The newest generation anybody has presented (`c`).
    pub presented: Generation,
    /// The newest generation issued (`g`), always above `presented`.
    pub issued: Generation,
}

/// The state of a family, as its row holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// What was presented and issued last.
    pub counters: Counters,
    /// When `counters.issued` was issued.
    pub issued_at: Timestamp,
    /// The policy for late predecessors.
    pub rotation: Rotation,
    /// From this time on nothing is accepted.
    pub expires_at: Timestamp,
    /// Whether the family was ended.
    pub is_revoked: bool,
}

/// A change of [`Counters`]: the conditional
/// `UPDATE … SET presented = to.presented, issued = to.issued, issued_at = now
/// WHERE id = … AND presented = from.presented AND issued = from.issued AND revoked_at IS NULL`.
/// Zero rows means that another request was faster: read the row and decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the row must still hold.
    pub from: Counters,
    /// What it holds afterwards. The answer carries the token of generation `to.issued`.
    pub to: Counters,
}

/// How a second holder of the family gave itself away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// A generation that was skipped when a lost answer was recovered: only somebody who received that answer
    /// has it.
    Tripwire,
    /// A generation whose successor was presented already.
    Older,
    /// The predecessor after its overlap, under [`Rotation::Strict`].
    Late,
}

impl Reuse {
    /// The word for events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tripwire => "tripwire",
            Self::Older => "older",
            Self::Late => "late",
        }
    }
}

/// The answer to a presented generation whose MAC was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The newest token was shown for the first time: carry out the step, answer with its successor.
    Rotate(Step),
    /// Answer with the token of this generation once more; nothing changes.
    Repeat(Generation),
    /// The successor's answer was lost: carry out the step, answer with another successor.
    Recover(Step),
    /// Two parties hold this family: end it and its session, append an event, tell the user.
    Reused(Reuse),
    /// The database is older than the token (a restore): end the family, append the event
    /// `restored_state_seen`.
    AheadOfDatabase,
    /// Expired or ended: one generic error.
    Refused,
}

impl Family {
    /// A family whose first token is issued at `now`.
    pub const fn new(now: Timestamp, rotation: Rotation, expires_at: Timestamp) -> Self {
        let counters = Counters { presented: Generation::NONE, issued: Generation::FIRST };
        Self { counters, issued_at: now, rotation, expires_at, is_revoked: false }
    }

    /// What presenting `generation` at `now` means, when the overlap lasts `overlap_ms`. Check the MAC and what
    /// the family is bound to first; a mismatch there changes nothing.
    pub fn decide(&self, generation: Generation, now: Timestamp, overlap_ms: i64) -> Decision {
        if self.is_revoked || now >= self.expires_at {
            return Decision::Refused;
        }
        let Counters { presented, issued } = self.counters;
        if generation > issued {
            Decision::AheadOfDatabase
        } else if generation == issued && self.rotation == Rotation::Keep {
            Decision::Repeat(issued)
        } else if generation == issued {
            self.step(issued).map_or(Decision::Refused, Decision::Rotate)
        } else if generation == presented {
            self.decide_predecessor(now, overlap_ms)
        } else if generation > presented {
            Decision::Reused(Reuse::Tripwire)
        } else {
            Decision::Reused(Reuse::Older)
        }
    }

    fn decide_predecessor(&self, now: Timestamp, overlap_ms: i64) -> Decision {
        // A clock that stepped back makes the age negative. Counting its size keeps the overlap short in both
        // directions, and two nodes may differ a little.
        if now.since_ms(self.issued_at).saturating_abs() < overlap_ms {
            return Decision::Repeat(self.counters.issued);
        }
        match self.rotation {
            Rotation::Recover => self.step(self.counters.presented).map_or(Decision::Refused, Decision::Recover),
            Rotation::Strict | Rotation::Keep => Decision::Reused(Reuse::Late),
        }
    }

    /// Issues the next generation; none when the numbers are used up.
    fn step(&self, presented: Generation) -> Option<Step> {
        let to = Counters { presented, issued: self.counters.issued.next()? };
        Some(Step { from: self.counters, to })
    }
}
