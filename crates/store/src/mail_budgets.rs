//! Mails that strangers made an address receive: `doorward_model::throttle::MailBudget` as one conditional
//! statement, like the limiters in [`crate::attempts`].

use doorward_model::throttle::{MailBudget, RowKey, SKEW_MS};
use doorward_model::time::{DAY_MS, HOUR_MS, Timestamp};

use crate::attempts::Growth;
use crate::{StoreError, Tx, Value};

crate::statements! {
    /// [`MailBudget::admit`]: an hour or a day that is over, or that a wrong clock began, starts anew.
    ADMIT = "INSERT INTO mail_budgets (key, hour_ends_at, hour_sent, day_ends_at, day_sent, last_sent_at, expires_at)
        VALUES ($1, $3, 1, $4, 1, $2, $4)
        ON CONFLICT (key) DO UPDATE SET
            hour_ends_at = CASE WHEN mail_budgets.hour_ends_at <= $2 OR mail_budgets.hour_ends_at > $5
                THEN $3 ELSE mail_budgets.hour_ends_at END,
            hour_sent = CASE WHEN mail_budgets.hour_ends_at <= $2 OR mail_budgets.hour_ends_at > $5
                THEN 1 ELSE mail_budgets.hour_sent + 1 END,
            day_ends_at = CASE WHEN mail_budgets.day_ends_at <= $2 OR mail_budgets.day_ends_at > $6
                THEN $4 ELSE mail_budgets.day_ends_at END,
            day_sent = CASE WHEN mail_budgets.day_ends_at <= $2 OR mail_budgets.day_ends_at > $6
                THEN 1 ELSE mail_budgets.day_sent + 1 END,
            last_sent_at = $2,
            expires_at = $4
        WHERE (mail_budgets.hour_ends_at <= $2 OR mail_budgets.hour_ends_at > $5 OR mail_budgets.hour_sent < $7)
            AND (mail_budgets.day_ends_at <= $2 OR mail_budgets.day_ends_at > $6
                OR mail_budgets.day_sent < $8
                OR (mail_budgets.day_sent < $9
                    AND (mail_budgets.last_sent_at <= $10 OR mail_budgets.last_sent_at > $11)))";
    EXISTS = "SELECT COUNT(*) FROM mail_budgets WHERE key = $1";
    DELETE = "DELETE FROM mail_budgets WHERE key = $1";
    DELETE_EXPIRED = "DELETE FROM mail_budgets
        WHERE key IN (SELECT key FROM mail_budgets WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    COUNT_ROWS = "SELECT COUNT(*) FROM (SELECT 1 FROM mail_budgets LIMIT $1) AS counted";
}

/// Counts one mail to an address, if its budget has room; `is_new` says that the network asks for the first
/// time in a day. With the table full, an address without a row is admitted uncounted.
pub fn admit(
    tx: &mut Tx<'_>,
    row: &RowKey,
    rule: &MailBudget,
    now: Timestamp,
    is_new: bool,
    growth: Growth,
) -> Result<bool, StoreError> {
    if growth == Growth::Closed && tx.query_one(&EXISTS, &[row.as_bytes().into()], |row| row.get::<i64>(0))? == 0 {
        return Ok(true);
    }
    let (hour_ends_at, day_ends_at) = (now.plus_ms(HOUR_MS), now.plus_ms(DAY_MS));
    let share = rule.share(is_new);
    let values: [Value<'_>; 11] = [
        row.as_bytes().into(),
        now.into(),
        hour_ends_at.into(),
        day_ends_at.into(),
        hour_ends_at.plus_ms(SKEW_MS).into(),
        day_ends_at.plus_ms(SKEW_MS).into(),
        share.per_hour.into(),
        share.per_day_at_once.into(),
        share.per_day.into(),
        now.plus_ms(-rule.kept_pause_ms).into(),
        now.plus_ms(SKEW_MS).into(),
    ];
    Ok(tx.execute(&ADMIT, &values)? == 1)
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
    tx.query_one(&COUNT_ROWS, &[limit.into()], |row| row.get(0))
}
