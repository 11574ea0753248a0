//! The statements of the throttle decide exactly as its algebra does, on both databases.

use std::time::Duration;

use doorward_model::network::Network;
use doorward_model::throttle::{
    BackOff, BackOffState, Collapse, CollapseState, Decision, MailBudget, MailState, RowKey, RowKind, Run, RunState,
    SubjectKey, Window, WindowState,
};
use doorward_model::time::{HOUR_MS, Timestamp};

use super::support::{PostgresDatabase, SqliteFile, on_both};
use crate::attempts::{self, Growth};
use crate::{PostgresOptions, SqliteOptions, Store, StoreError, Tx, mail_budgets};

const SEEDS: std::ops::Range<u64> = 0..6;
const STEPS: usize = 150;

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// Mostly small steps ahead, sometimes a long one, sometimes the clock goes back, once in a while far.
    fn step(&mut self, now: Timestamp, unit_ms: i64) -> Timestamp {
        let amount = i64::try_from(self.roll(1_000)).unwrap() * unit_ms / 1_000;
        now.plus_ms(match self.roll(20) {
            0 => -amount,
            1 => -amount * 100,
            2 => amount * 20,
            _ => amount,
        })
    }
}

fn row(kind: RowKind, seed: u64) -> RowKey {
    let key = SubjectKey::new(&[3; 32]);
    key.of_pair(kind, key.subject(&format!("{seed}@example.org")), Network::Unknown)
}

async fn migrated(store: &Store) {
    store.migrate().await.unwrap();
}

/// Runs every seed in one transaction each; `play` gets the dice and the seed.
async fn play_all(store: Store, play: fn(&mut Tx<'_>, Dice, u64) -> Result<(), StoreError>) {
    migrated(&store).await;
    for seed in SEEDS {
        store
            .write(move |tx| play(tx, Dice(seed), seed))
            .await
            .unwrap_or_else(|e: StoreError| panic!("seed {seed}: {e:?}"));
    }
}

/// Proves: S-61
#[tokio::test]
async fn a_window_row_is_its_model() {
    on_both(|store| {
        play_all(store, |tx, mut dice, seed| {
            let rule = Window { limit: 4, window_ms: 10_000 };
            let (row, mut state, mut now) = (row(RowKind::Network, seed), None, Timestamp::from_ms(1_000_000_000));
            for step in 0..STEPS {
                now = dice.step(now, 3_000);
                if dice.roll(6) == 0 {
                    Window::give_back(&mut state);
                    attempts::give_back_window(tx, &row)?;
                } else {
                    let growth = if state.is_some() && dice.roll(2) == 0 { Growth::Closed } else { Growth::Open };
                    let expected = rule.admit(&mut state, now);
                    assert_eq!(
                        attempts::admit_window(tx, &row, &rule, now, growth)?,
                        expected,
                        "seed {seed} step {step}"
                    );
                }
                let found = attempts::find(tx, &row)?
                    .map(|found| WindowState { count: found.failures, ends_at: found.expires_at });
                assert_eq!(found, state, "seed {seed} step {step}");
            }
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_back_off_row_is_its_model() {
    on_both(|store| {
        play_all(store, |tx, mut dice, seed| {
            let rule = BackOff { free: 3, base_ms: 700, max_ms: 60_000, forget_ms: 200_000 };
            let (row, mut state, mut now) = (row(RowKind::Pair, seed), None, Timestamp::from_ms(1_000_000_000));
            for step in 0..STEPS {
                // On some seeds so fast that the pause reaches its maximum, on others with quiet days between.
                now = dice.step(now, if seed % 2 == 0 { 60_000 } else { 2_000 });
                if dice.roll(10) == 0 {
                    BackOff::give_back(&mut state);
                    attempts::give_back_back_off(tx, &row)?;
                } else {
                    let growth = if state.is_some() && dice.roll(2) == 0 { Growth::Closed } else { Growth::Open };
                    let expected = rule.admit(&mut state, now);
                    let decided = attempts::admit_back_off(tx, &row, &rule, now, growth)?;
                    assert_eq!(decided, expected, "seed {seed} step {step}");
                }
                let found = attempts::find(tx, &row)?.map(|found| BackOffState {
                    failures: found.failures,
                    blocked_until: found.blocked_until,
                    forget_at: found.expires_at,
                });
                assert_eq!(found, state, "seed {seed} step {step}");
            }
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn the_longest_pauses_are_the_models() {
    on_both(|store| {
        play_all(store, |tx, _, seed| {
            let rule = BackOff { free: 1, base_ms: 86_400_000, max_ms: 86_400_000, forget_ms: 86_400_000 };
            let (row, mut state, mut now) = (row(RowKind::Device, seed), None, Timestamp::from_ms(0));
            for _ in 0..30 {
                now = now.plus_ms(86_400_000);
                // Forgotten and unblocked fall together here; a little earlier the pause still holds.
                assert_eq!(
                    attempts::admit_back_off(tx, &row, &rule, now.plus_ms(-1), Growth::Open)?,
                    rule.admit(&mut state, now.plus_ms(-1))
                );
                assert_eq!(attempts::admit_back_off(tx, &row, &rule, now, Growth::Open)?, rule.admit(&mut state, now));
            }
            // Forty attempts without forgetting pass the last doubling.
            let long = BackOff { free: 1, base_ms: 1_000, max_ms: 3_600_000, forget_ms: i64::from(u32::MAX) };
            for _ in 0..40 {
                now = now.plus_ms(3_600_000);
                assert_eq!(attempts::admit_back_off(tx, &row, &long, now, Growth::Open)?, long.admit(&mut state, now));
            }
            assert!(state.unwrap().failures > BackOff::MAX_DOUBLINGS);
            Ok(())
        })
    })
    .await;
}

/// Proves: S-59
#[tokio::test]
async fn a_run_row_is_its_model() {
    on_both(|store| {
        play_all(store, |tx, mut dice, seed| {
            let rule = Run { limit: 6 };
            let (row, mut state, mut now) = (row(RowKind::Run, seed), None, Timestamp::from_ms(1_000_000_000));
            for step in 0..STEPS {
                now = dice.step(now, 3_000);
                match dice.roll(8) {
                    0 => {
                        assert_eq!(attempts::delete(tx, &row)?, state.take().is_some(), "seed {seed} step {step}");
                    }
                    1 | 2 => {
                        let expected = rule.mark_switched_off(&mut state, now);
                        assert_eq!(
                            attempts::mark_switched_off(tx, &row, &rule, now)?,
                            expected,
                            "seed {seed} step {step}"
                        );
                    }
                    _ => {
                        let growth = if state.is_some() && dice.roll(2) == 0 { Growth::Closed } else { Growth::Open };
                        let expected = rule.admit(&mut state, now, 30_000);
                        let decided = attempts::admit_run(tx, &row, &rule, now, 30_000, growth)?;
                        assert_eq!(decided, expected, "seed {seed} step {step}");
                    }
                }
                let found = attempts::find(tx, &row)?.map(|found| RunState {
                    failures: found.failures,
                    switched_off_at: found.switched_off_at,
                    forget_at: found.expires_at,
                });
                assert_eq!(found, state, "seed {seed} step {step}");
            }
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn a_row_of_repeats_is_its_model() {
    on_both(|store| {
        play_all(store, |tx, mut dice, seed| {
            let rule = Collapse { window_ms: 5_000, keep_ms: 90_000 };
            let (row, mut state, mut now) = (row(RowKind::Wrong, seed), None, Timestamp::from_ms(1_000_000_000));
            for step in 0..STEPS {
                now = dice.step(now, 3_000);
                let growth = if state.is_some() && dice.roll(2) == 0 { Growth::Closed } else { Growth::Open };
                let expected = rule.count(&mut state, now);
                assert_eq!(attempts::count_repeat(tx, &row, &rule, now, growth)?, expected, "seed {seed} step {step}");
                let found = attempts::find(tx, &row)?.map(|found| CollapseState {
                    waiting: found.failures,
                    quiet_until: found.blocked_until,
                    forget_at: found.expires_at,
                });
                assert_eq!(found, state, "seed {seed} step {step}");
            }
            Ok(())
        })
    })
    .await;
}

/// Proves: A-27
#[tokio::test]
async fn a_mail_budget_row_is_its_model() {
    on_both(|store| {
        play_all(store, |tx, mut dice, seed| {
            let rule =
                MailBudget { per_hour: 3, per_day: 10, kept_per_hour: 1, kept_per_day: 4, kept_pause_ms: 5 * HOUR_MS };
            let (row, mut now) = (row(RowKind::Mail, seed), Timestamp::from_ms(1_000_000_000_000));
            let mut state: Option<MailState> = None;
            for step in 0..STEPS * 3 {
                now = dice.step(now, 1_800_000);
                let is_new = dice.roll(2) == 0;
                let growth = if state.is_some() && dice.roll(2) == 0 { Growth::Closed } else { Growth::Open };
                let expected = rule.admit(&mut state, now, is_new);
                let decided = mail_budgets::admit(tx, &row, &rule, now, is_new, growth)?;
                assert_eq!(decided, expected, "seed {seed} step {step} {state:?}");
            }
            Ok(())
        })
    })
    .await;
}

/// Proves: S-61, A-11
#[tokio::test]
async fn two_hundred_at_once_share_the_places_of_one_row() {
    // Longer than a busy machine needs for two hundred closures in a row.
    let patience = Duration::from_mins(1);
    let file = SqliteFile::new();
    let sqlite = file.open_with(&SqliteOptions { acquire_timeout: patience, ..SqliteOptions::default() });
    crowd(&sqlite).await;
    sqlite.close().await;
    let database = PostgresDatabase::new();
    let postgres = database.open_with(&PostgresOptions { acquire_timeout: patience, ..PostgresOptions::default() });
    crowd(&postgres).await;
    postgres.close().await;
}

async fn crowd(store: &Store) {
    migrated(store).await;
    let mut waiting = Vec::new();
    for _ in 0..200 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            let rule = BackOff { free: 5, base_ms: 1_000, max_ms: 60_000, forget_ms: 60_000 };
            let now = Timestamp::from_ms(1_000);
            store.write(move |tx| attempts::admit_back_off(tx, &row(RowKind::Pair, 1), &rule, now, Growth::Open)).await
        }));
    }
    let mut admitted = 0;
    for task in waiting {
        let decision = task.await.unwrap().unwrap_or_else(|e: StoreError| panic!("{e:?}"));
        admitted += i32::from(decision.is_admitted());
    }
    assert_eq!(admitted, 5);
}

#[tokio::test]
async fn a_full_table_limits_by_the_rows_it_has() {
    on_both(|store| {
        play_all(store, |tx, _, seed| {
            let (rule, now) = (Window { limit: 1, window_ms: 1_000 }, Timestamp::from_ms(0));
            let (old, new) = (row(RowKind::Account, seed), row(RowKind::Account, seed + 1_000));
            attempts::admit_window(tx, &old, &rule, now, Growth::Open)?;
            assert!(!attempts::admit_window(tx, &old, &rule, now, Growth::Closed)?.is_admitted());
            for _ in 0..3 {
                let decided = attempts::admit_window(tx, &new, &rule, now, Growth::Closed)?;
                assert_eq!(decided, Decision::Admitted { count: 0 });
            }
            assert_eq!(attempts::find(tx, &new)?, None);
            assert_eq!(attempts::count_rows(tx, 100)?, 1);
            assert_eq!(attempts::delete_expired(tx, now.plus_ms(999), 10)?, 0);
            assert_eq!(attempts::delete_expired(tx, now.plus_ms(1_000), 10)?, 1);
            Ok(())
        })
    })
    .await;
}
