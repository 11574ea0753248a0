//! What a renewal is made of, each alone on one core: signatures, and the same rotation as bare prepared statements.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rusqlite::{Connection, params};

use crate::Outcome;

/// Rotations that share a commit.
const BATCH: usize = 64;
/// About as long as the signed part of an access token.
const MESSAGE: [u8; 600] = [b'x'; 600];

/// ES256 signatures per second.
#[expect(clippy::cast_precision_loss, reason = "a count")]
pub(crate) fn signatures(span: Duration) -> Outcome<f64> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| "no key")?;
    let random = SystemRandom::new();
    let (started, mut count) = (Instant::now(), 0u64);
    while started.elapsed() < span {
        key.sign(&random, std::hint::black_box(&MESSAGE)).map_err(|_| "no signature")?;
        count += 1;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// Durable rotations per second in a database file that a deployment left behind.
#[expect(clippy::cast_precision_loss, reason = "a count")]
pub(crate) fn rotations(file: &Path, span: Duration) -> Outcome<f64> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    let ids: Vec<String> = connection
        .prepare("SELECT id FROM token_families ORDER BY random() LIMIT 4096")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut find = connection.prepare(
        "SELECT session_id, salt, issued, presented, issued_at, rotation, network, expires_at, revoked_at
         FROM token_families WHERE id = ?1",
    )?;
    let mut session = connection.prepare(
        "SELECT s.id, s.user_id, s.amr, s.acr, s.authenticated_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at,
         u.is_admin, u.disabled_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1",
    )?;
    let mut advance = connection.prepare(
        "UPDATE token_families SET presented = ?4, issued = ?5, issued_at = ?6, network = ?7
         WHERE id = ?1 AND presented = ?2 AND issued = ?3 AND revoked_at IS NULL",
    )?;
    let (started, mut count) = (Instant::now(), 0u64);
    let mut turn = ids.iter().cycle();
    while started.elapsed() < span {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for id in turn.by_ref().take(BATCH) {
            type Seen = (String, Vec<u8>, i64, i64, i64, String, Option<Vec<u8>>, i64, Option<i64>);
            let seen: Seen = find.query_row([id], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                    row.get(8)?,
                ))
            })?;
            let user: (String, String, i64, i64) =
                session.query_row([&seen.0], |row| Ok((row.get(1)?, row.get(2)?, row.get(6)?, row.get(7)?)))?;
            std::hint::black_box(user);
            let moved = advance.execute(params![id, seen.3, seen.2, seen.2, seen.2 + 1, seen.4 + 1, seen.6])?;
            if moved != 1 {
                return Err("a rotation changed nothing".into());
            }
        }
        connection.execute_batch("COMMIT")?;
        count += BATCH as u64;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
