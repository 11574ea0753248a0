//! A second, slower description of the same rules: a list that remembers what became of every token ever
//! issued, as a table of tokens would. The two must never disagree.

use proptest::prelude::*;

use crate::rotation::{Decision, Family, Generation, Reuse, Rotation};
use crate::time::Timestamp;

const OVERLAP_MS: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Given out last; nobody has shown it.
    Newest,
    /// The last one that was shown.
    Shown,
    /// Given out, then replaced because its answer seemed lost.
    Skipped,
    /// Its successor was shown.
    Spent,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Token(usize),
    Reused,
    Ahead,
    Ended,
}

struct Ledger {
    tokens: Vec<Fate>,
    last_issue_ms: i64,
    rotation: Rotation,
    ended: bool,
}

impl Ledger {
    fn present(&mut self, token: usize, now_ms: i64) -> Answer {
        if self.ended {
            return Answer::Ended;
        }
        let Some(fate) = self.tokens.get(token).copied() else {
            self.ended = true;
            return Answer::Ahead;
        };
        match fate {
            Fate::Newest => {
                for older in &mut self.tokens {
                    *older = Fate::Spent;
                }
                self.tokens[token] = Fate::Shown;
                self.issue(now_ms)
            }
            Fate::Shown if (now_ms - self.last_issue_ms).abs() < OVERLAP_MS => Answer::Token(self.tokens.len() - 1),
            Fate::Shown if self.rotation == Rotation::Recover => {
                let newest = self.tokens.len() - 1;
                self.tokens[newest] = Fate::Skipped;
                self.issue(now_ms)
            }
            Fate::Shown | Fate::Skipped | Fate::Spent => {
                self.ended = true;
                Answer::Reused
            }
        }
    }

    fn issue(&mut self, now_ms: i64) -> Answer {
        self.tokens.push(Fate::Newest);
        self.last_issue_ms = now_ms;
        Answer::Token(self.tokens.len() - 1)
    }
}

fn present(family: &mut Family, token: usize, now_ms: i64) -> (Answer, Option<Reuse>) {
    let index = |generation: Generation| usize::try_from(generation.number() - 1).unwrap();
    let generation = Generation::from_number(i64::try_from(token).unwrap() + 1).unwrap();
    let now = Timestamp::from_ms(now_ms);
    match family.decide(generation, now, OVERLAP_MS) {
        Decision::Rotate(step) | Decision::Recover(step) => {
            assert_eq!(step.from, family.counters);
            family.counters = step.to;
            family.issued_at = now;
            (Answer::Token(index(step.to.issued)), None)
        }
        Decision::Repeat(generation) => (Answer::Token(index(generation)), None),
        Decision::Reused(reuse) => {
            family.is_revoked = true;
            (Answer::Reused, Some(reuse))
        }
        Decision::AheadOfDatabase => {
            family.is_revoked = true;
            (Answer::Ahead, None)
        }
        Decision::Refused => (Answer::Ended, None),
    }
}

/// Which token to present, counted back from the newest, and how far the clock moves before.
fn presentation() -> impl Strategy<Value = (i64, i64)> {
    let back = prop_oneof![12 => 0..2i64, 2 => 2..6i64, 1 => -2..0i64];
    let wait = prop_oneof![4 => 0..9_000i64, 4 => 9_990..10_010i64, 3 => 20_000..90_000i64, 1 => -60_000..0i64];
    (back, wait)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn two_counters_remember_as_much_as_a_list_of_every_token(
        is_strict: bool,
        presentations in prop::collection::vec(presentation(), 1..60),
    ) {
        let rotation = if is_strict { Rotation::Strict } else { Rotation::Recover };
        let mut now_ms = 1_000_000;
        let mut ledger = Ledger { tokens: vec![Fate::Newest], last_issue_ms: now_ms, rotation, ended: false };
        let mut family = Family::new(Timestamp::from_ms(now_ms), rotation, Timestamp::from_ms(i64::MAX));
        for (back, wait) in presentations {
            now_ms += wait;
            let newest = i64::try_from(ledger.tokens.len()).unwrap() - 1;
            let token = usize::try_from((newest - back).max(0)).unwrap();
            let fate = ledger.tokens.get(token).copied();
            let expected = ledger.present(token, now_ms);
            let (answer, reuse) = present(&mut family, token, now_ms);
            prop_assert_eq!(&answer, &expected);
            let expected_reuse = (answer == Answer::Reused).then_some(fate).flatten().map(|fate| match fate {
                Fate::Skipped => Reuse::Tripwire,
                Fate::Spent => Reuse::Older,
                Fate::Shown | Fate::Newest => Reuse::Late,
            });
            prop_assert_eq!(reuse, expected_reuse);
        }
    }
}
