//! Compares the hasher's rate with the bare Argon2 library in as many threads, each with one reused buffer:
//! `cargo run --release -p doorward-app --example hash_rate`. The goal is a ratio of at least 0.95.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "measures and reports")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use doorward_app::hashing::{HashParameters, Hasher, HasherOptions};
use doorward_model::password::Password;

const ROUNDS: usize = 7;
const HASHES: usize = 200;
const TEXT: &str = "violet tractor humming seventeen";

fn main() -> Result<(), Box<dyn Error>> {
    let workers = std::thread::available_parallelism()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let bare = bare_rate(workers)?;
        let pooled = runtime.block_on(pooled_rate(workers))?;
        println!("bare {bare:7.1}/s  hasher {pooled:7.1}/s  ratio {:.3}", pooled / bare);
        ratios.push(pooled / bare);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.3} with {workers} workers", ratios[ROUNDS / 2]);
    runtime.block_on(show_idle_memory())
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn rate(start: Instant) -> f64 {
    HASHES as f64 / start.elapsed().as_secs_f64()
}

fn bare_rate(workers: NonZeroUsize) -> Result<f64, Box<dyn Error>> {
    let left = Arc::new(AtomicUsize::new(HASHES));
    let start = Instant::now();
    let threads: Vec<_> = (0..workers.get())
        .map(|_| {
            let left = Arc::clone(&left);
            std::thread::spawn(move || -> Result<(), argon2::Error> {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
                let mut memory = vec![Block::new(); Params::DEFAULT.block_count()];
                let mut output = [0; 32];
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    argon2.hash_password_into_with_memory(
                        TEXT.as_bytes(),
                        b"sixteen bytes...",
                        &mut output,
                        &mut memory,
                    )?;
                }
                Ok(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(rate(start))
}

async fn pooled_rate(workers: NonZeroUsize) -> Result<f64, Box<dyn Error>> {
    let hasher = Hasher::start(options(workers))?;
    let start = Instant::now();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..HASHES {
        let (hasher, password) = (hasher.clone(), Password::new(TEXT).map_err(|_| "too long")?);
        requests.spawn(async move { hasher.hash(password, [7; 16]).await });
    }
    while let Some(hash) = requests.join_next().await {
        hash??;
    }
    Ok(rate(start))
}

fn options(workers: NonZeroUsize) -> HasherOptions {
    let minute = Duration::from_mins(1);
    HasherOptions {
        workers,
        queue: HASHES,
        deadline: minute,
        ..HasherOptions::for_machine(HashParameters::DEFAULT, workers, 1 << 30)
    }
}

async fn show_idle_memory() -> Result<(), Box<dyn Error>> {
    let hasher = Hasher::start(HasherOptions { idle: Duration::from_millis(500), ..options(NonZeroUsize::MIN) })?;
    println!("resident before   {}", resident_memory());
    for _ in 0..3 {
        hasher.hash(Password::new(TEXT).map_err(|_| "too long")?, [7; 16]).await?;
        println!("resident hashing  {}", resident_memory());
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!("resident idle     {}", resident_memory());
    }
    Ok(())
}

fn resident_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or(" unknown").trim().to_owned()
}
