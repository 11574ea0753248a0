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
        "SELECT f.salt, f.issued, f.presented, f.issued_at, f.rotation, f.network, f.expires_at, f.revoked_at, s.id, s.user_id,
         s.amr, s.acr, s.authenticated_at, s.last_seen_at, s.idle_ms, s.expires_at, s.revoked_at, u.is_admin, u.disabled_at
         FROM token_families f JOIN sessions s ON s.id = f.session_id JOIN users u ON u.id = s.user_id WHERE f.id = ?1",
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
            type Seen = (i64, i64, i64, Option<Vec<u8>>);
            let seen: Seen = find.query_row([id], |row| {
                let read: (Vec<u8>, String, i64, String, String, i64, i64) =
                    (row.get(0)?, row.get(4)?, row.get(6)?, row.get(8)?, row.get(9)?, row.get(14)?, row.get(15)?);
                std::hint::black_box(read);
                Ok((row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?))
            })?;
            let (issued, presented, issued_at, network) = seen;
            let moved = advance.execute(params![id, presented, issued, issued, issued + 1, issued_at + 1, network])?;
            if moved != 1 {
                return Err("a rotation changed nothing".into());
            }
        }
        connection.execute_batch("COMMIT")?;
        count += BATCH as u64;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
