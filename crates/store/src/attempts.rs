//! Limiter rows: the rules of `doorward_model::throttle`, each as one conditional statement.
//!
//! A statement that admits also counts, in one write, so parallel attempts cannot share a place: at READ
//! COMMITTED `ON CONFLICT DO UPDATE … WHERE` locks the row and looks at its newest version, and SQLite has one
//! writer. No row returned means "refused"; the row is locked then too, so the reason read next is the true one.
//!
//! Callers that touch several rows do so in the order network, pair, account, run, then the rows that count
//! events; two transactions then never wait for each other in a circle.

use doorward_model::throttle::{BackOff, Collapse, Decision, RowKey, Run, SKEW_MS, Window};
use doorward_model::time::Timestamp;

use crate::{Row, StoreError, Tx, Value};

crate::statements! {
    /// [`Window`]: a window that is over, or that a wrong clock began, starts anew.
    ADMIT_WINDOW = "INSERT INTO attempts (key, kind, failures, reported, blocked_until, switched_off_at, expires_at)
        SELECT $1, $6, 1, 0, 0, CAST(NULL AS BIGINT), $3
            WHERE CAST($7 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM attempts WHERE key = $1)
        ON CONFLICT (key) DO UPDATE SET
            failures = CASE WHEN attempts.expires_at <= $2 OR attempts.expires_at > $5
                THEN 1 ELSE attempts.failures + 1 END,
            expires_at = CASE WHEN attempts.expires_at <= $2 OR attempts.expires_at > $5
                THEN $3 ELSE attempts.expires_at END
        WHERE attempts.expires_at <= $2 OR attempts.expires_at > $5 OR attempts.failures < $4
        RETURNING failures";
    GIVE_BACK_WINDOW = "UPDATE attempts SET failures = failures - 1 WHERE key = $1 AND failures > 0";
    /// [`BackOff`]: `n` is the number of this attempt; 20 is [`BackOff::MAX_DOUBLINGS`].
    ADMIT_BACK_OFF = "INSERT INTO attempts (key, kind, failures, reported, blocked_until, switched_off_at, expires_at)
        SELECT $1, $8, 1, 0, $9, CAST(NULL AS BIGINT), $3
            WHERE CAST($10 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM attempts WHERE key = $1)
        ON CONFLICT (key) DO UPDATE SET
            failures = CASE WHEN attempts.expires_at > $2 THEN attempts.failures + 1 ELSE 1 END,
            blocked_until = $2 + (SELECT CASE
                    WHEN next.n < $5 THEN 0
                    WHEN next.n - $5 >= 20 THEN CAST($7 AS BIGINT)
                    WHEN CAST($6 AS BIGINT) << CAST(next.n - $5 AS INTEGER) > CAST($7 AS BIGINT) THEN CAST($7 AS BIGINT)
                    ELSE CAST($6 AS BIGINT) << CAST(next.n - $5 AS INTEGER) END
                FROM (SELECT CASE WHEN attempts.expires_at > $2 THEN attempts.failures + 1 ELSE 1 END AS n) AS next),
            expires_at = $3
        WHERE attempts.blocked_until <= $2 OR attempts.blocked_until > $4
        RETURNING failures";
    GIVE_BACK_BACK_OFF = "UPDATE attempts SET
            failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END, blocked_until = 0
        WHERE key = $1";
    /// [`Run`].
    ADMIT_RUN = "INSERT INTO attempts (key, kind, failures, reported, blocked_until, switched_off_at, expires_at)
        SELECT $1, $5, 1, 0, 0, CAST(NULL AS BIGINT), $3
            WHERE CAST($6 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM attempts WHERE key = $1)
        ON CONFLICT (key) DO UPDATE SET
            failures = CASE WHEN attempts.expires_at > $2 THEN attempts.failures + 1 ELSE 1 END,
            switched_off_at = CASE WHEN attempts.expires_at > $2 THEN attempts.switched_off_at END,
            expires_at = $3
        WHERE attempts.expires_at <= $2 OR attempts.failures < $4
        RETURNING failures";
    MARK_SWITCHED_OFF = "UPDATE attempts SET switched_off_at = $2
        WHERE key = $1 AND failures >= $3 AND switched_off_at IS NULL";
    /// [`Collapse`]: `blocked_until` ends the quiet time, `failures` wait, `reported` is what to report now.
    COUNT_REPEAT = "INSERT INTO attempts (key, kind, failures, reported, blocked_until, switched_off_at, expires_at)
        SELECT $1, $6, 0, 1, $3, CAST(NULL AS BIGINT), $4
            WHERE CAST($7 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM attempts WHERE key = $1)
        ON CONFLICT (key) DO UPDATE SET
            reported = CASE WHEN attempts.blocked_until > $2 AND attempts.blocked_until <= $5
                THEN 0 ELSE attempts.failures + 1 END,
            failures = CASE WHEN attempts.blocked_until > $2 AND attempts.blocked_until <= $5
                THEN attempts.failures + 1 ELSE 0 END,
            expires_at = CASE WHEN attempts.blocked_until > $2 AND attempts.blocked_until <= $5
                THEN attempts.expires_at ELSE $4 END,
            blocked_until = CASE WHEN attempts.blocked_until > $2 AND attempts.blocked_until <= $5
                THEN attempts.blocked_until ELSE $3 END
        RETURNING reported";
    FIND = "SELECT failures, blocked_until, switched_off_at, expires_at FROM attempts WHERE key = $1";
    DELETE = "DELETE FROM attempts WHERE key = $1";
    DELETE_EXPIRED = "DELETE FROM attempts
        WHERE key IN (SELECT key FROM attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    COUNT_ROWS = "SELECT COUNT(*) FROM (SELECT 1 FROM attempts LIMIT $1) AS counted";
}

/// Whether a statement may make a new row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It may.
    Open,
    /// The table is full: rows that exist go on limiting, what has no row is admitted uncounted (as number 0).
    Closed,
}

impl Growth {
    /// As the statements that may insert take it: they insert nothing where it is 0 and there is no row.
    fn value(self) -> Value<'static> {
        i64::from(self == Self::Open).into()
    }
}

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// How many are counted.
    pub failures: i64,
    /// For a back-off: nobody is admitted before. For repeats: nothing is reported before.
    pub blocked_until: Timestamp,
    /// For a run: when the bound was seen to be reached.
    pub switched_off_at: Option<Timestamp>,
    /// When the row may be forgotten; for a window: when it ends.
    pub expires_at: Timestamp,
}

/// [`Window::admit`] on a row.
pub fn admit_window(
    tx: &mut Tx<'_>,
    row: &RowKey,
    rule: &Window,
    now: Timestamp,
    growth: Growth,
) -> Result<Decision, StoreError> {
    let ends_at = now.plus_ms(rule.window_ms);
    let common: [Value<'_>; 5] =
        [row.as_bytes().into(), now.into(), ends_at.into(), rule.limit.into(), ends_at.plus_ms(SKEW_MS).into()];
    let count = tx.query_optional(&ADMIT_WINDOW, &[&common[..], &[kind(row), growth.value()]].concat(), first)?;
    decide(tx, row, count, |found| Some(found.expires_at))
}

/// [`Window::give_back`] on a row.
pub fn give_back_window(tx: &mut Tx<'_>, row: &RowKey) -> Result<(), StoreError> {
    // The row may be gone, or its window may have ended and been counted down already: nothing to give back.
    tx.execute(&GIVE_BACK_WINDOW, &[row.as_bytes().into()])?;
    Ok(())
}

/// [`BackOff::admit`] on a row.
pub fn admit_back_off(
    tx: &mut Tx<'_>,
    row: &RowKey,
    rule: &BackOff,
    now: Timestamp,
    growth: Growth,
) -> Result<Decision, StoreError> {
    let common: [Value<'_>; 7] = [
        row.as_bytes().into(),
        now.into(),
        now.plus_ms(rule.forget_ms).into(),
        now.plus_ms(rule.max_ms).plus_ms(SKEW_MS).into(),
        rule.free.into(),
        rule.base_ms.into(),
        rule.max_ms.into(),
    ];
    let blocked_until = now.plus_ms(rule.pause_ms(1)).into();
    let values = [&common[..], &[kind(row), blocked_until, growth.value()]].concat();
    let count = tx.query_optional(&ADMIT_BACK_OFF, &values, first)?;
    decide(tx, row, count, |found| Some(found.blocked_until))
}

/// [`BackOff::give_back`] on a row.
pub fn give_back_back_off(tx: &mut Tx<'_>, row: &RowKey) -> Result<(), StoreError> {
    // Without a row (the table was full) nothing was counted.
    tx.execute(&GIVE_BACK_BACK_OFF, &[row.as_bytes().into()])?;
    Ok(())
}

/// [`Run::admit`] on a row.
pub fn admit_run(
    tx: &mut Tx<'_>,
    row: &RowKey,
    rule: &Run,
    now: Timestamp,
    keep_ms: i64,
    growth: Growth,
) -> Result<Decision, StoreError> {
    let common: [Value<'_>; 4] = [row.as_bytes().into(), now.into(), now.plus_ms(keep_ms).into(), rule.limit.into()];
    let count = tx.query_optional(&ADMIT_RUN, &[&common[..], &[kind(row), growth.value()]].concat(), first)?;
    decide(tx, row, count, |_| None)
}

/// [`Run::mark_switched_off`] on a row.
pub fn mark_switched_off(tx: &mut Tx<'_>, row: &RowKey, rule: &Run, now: Timestamp) -> Result<bool, StoreError> {
    let marked = tx.execute(&MARK_SWITCHED_OFF, &[row.as_bytes().into(), now.into(), rule.limit.into()])?;
    Ok(marked == 1)
}

/// [`Collapse::count`] on a row. With the table full, repeats that have no row report nothing.
pub fn count_repeat(
    tx: &mut Tx<'_>,
    row: &RowKey,
    rule: &Collapse,
    now: Timestamp,
    growth: Growth,
) -> Result<Option<i64>, StoreError> {
    let quiet_until = now.plus_ms(rule.window_ms);
    let common: [Value<'_>; 5] = [
        row.as_bytes().into(),
        now.into(),
        quiet_until.into(),
        now.plus_ms(rule.keep_ms).into(),
        quiet_until.plus_ms(SKEW_MS).into(),
    ];
    let reported = tx.query_optional(&COUNT_REPEAT, &[&common[..], &[kind(row), growth.value()]].concat(), first)?;
    Ok(reported.filter(|count| *count > 0))
}

/// What a row holds, if it exists.
pub fn find(tx: &mut Tx<'_>, row: &RowKey) -> Result<Option<AttemptRow>, StoreError> {
    tx.query_optional(&FIND, &[row.as_bytes().into()], |row| {
        Ok(AttemptRow {
            failures: row.get(0)?,
            blocked_until: row.get(1)?,
            switched_off_at: row.get(2)?,
            expires_at: row.get(3)?,
        })
    })
}

/// Forgets a row. True when there was one.
pub fn delete(tx: &mut Tx<'_>, row: &RowKey) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE, &[row.as_bytes().into()])? == 1)
}

/// Forgets at most `limit` rows whose time is over, and says how many.
pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_EXPIRED, &[now.into(), limit.into()])
}

/// How many rows there are, counting no further than `limit`.
pub fn count_rows(tx: &mut Tx<'_>, limit: i64) -> Result<i64, StoreError> {
    tx.query_one(&COUNT_ROWS, &[limit.into()], first)
}

fn first(row: &Row<'_>) -> Result<i64, StoreError> {
    row.get(0)
}

fn kind(row: &RowKey) -> Value<'static> {
    row.kind().name().into()
}

fn decide(
    tx: &mut Tx<'_>,
    row: &RowKey,
    count: Option<i64>,
    until: impl Fn(AttemptRow) -> Option<Timestamp>,
) -> Result<Decision, StoreError> {
    if let Some(count) = count {
        return Ok(Decision::Admitted { count });
    }
    // Without a row the table was full: the statements that insert always find or make one.
    Ok(find(tx, row)?.map_or(Decision::Admitted { count: 0 }, |found| Decision::Refused { until: until(found) }))
}
