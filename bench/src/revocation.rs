//! From the answer to a sign-out to the first refusal at a resource server that follows the feed, while thousands of
//! other sessions end.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Answer, Connection, Script, drive, get, post};
use crate::deployment::{Deployment, SignedIn};
use crate::me::Once;
use crate::process::{Cores, Server};
use crate::statistics::percentile;
use crate::verify::start_example;
use crate::{Options, Outcome};

/// Tokens that are good when it begins.
const LIVE: usize = 100_000;
/// Sign-outs each second.
const PER_SECOND: usize = 1_000;
const CONNECTIONS: usize = 64;
/// Connections that sign out, so that one slow answer does not hold the others up.
const SIGN_OUT_CONNECTIONS: usize = 32;
/// Every so many sign-outs, one is watched.
const WATCHED: usize = 40;
/// Between two questions about a token that is watched.
const PAUSE: Duration = Duration::from_millis(2);
/// Nobody waits longer for a refusal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gets a token for each of many people.
struct Mint {
    people: VecDeque<SignedIn>,
    tokens: Vec<String>,
}

impl Script for Mint {
    fn request(&mut self) -> Option<Vec<u8>> {
        let person = self.people.pop_front()?;
        Some(post("/api/v1/token", &serde_json::json!({ "refresh_token": person.refresh_token }), ""))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let answer = answer.expect(200)?.json()?;
        self.tokens.push(answer["access_token"].as_str().ok_or("no access token")?.to_owned());
        Ok(())
    }
}

fn whoami(token: &str) -> Vec<u8> {
    get("/whoami", &format!("authorization: Bearer {token}\r\n"))
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let deployment = Deployment::new(None)?;
    deployment.add_settings("[revocations]\npublic = true\n")?;
    let filling = deployment.open().await?;
    let people = filling.add_signed_in(LIVE).await?;
    filling.close().await;
    let server = deployment.serve(Cores::All)?;
    let issuer = format!("http://localhost:{}", server.address.port());
    let resource_server = start_example(&issuer, &issuer, &[], Cores::All)?;

    let started = Instant::now();
    let mints = people
        .chunks(LIVE.div_ceil(CONNECTIONS))
        .map(|chunk| Mint { people: chunk.iter().cloned().collect(), tokens: Vec::new() });
    let (_, mints) = drive(server.address, mints.collect(), Duration::MAX).await?;
    let tokens: Vec<String> = mints.into_iter().flat_map(|mint| mint.tokens).collect();
    let asks = tokens
        .chunks(LIVE.div_ceil(CONNECTIONS))
        .map(|chunk| Once(chunk.iter().map(|token| whoami(token)).collect::<Vec<_>>().into_iter()));
    drive(resource_server.address, asks.collect(), Duration::MAX).await?;
    eprintln!("{} tokens were issued and seen within {:.0} s", tokens.len(), started.elapsed().as_secs_f64());

    let before = resource_server.resident_mib()?;
    let (latencies, spent, ended) = sign_out(&server, &resource_server, tokens, options).await?;
    let after = resource_server.resident_mib()?;
    println!(
        "| live tokens | sign-outs/s | watched | p50, ms | p99, ms | longest, ms | memory before, MiB | after {ended} revocations, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| {LIVE} | {:.0} | {} | **{:.0}** | **{:.0}** | {:.0} | {before:.1} | {after:.1} | (goal p99 < 2,000)",
        per_second(ended, spent),
        latencies.len(),
        percentile(&latencies, 0.5),
        percentile(&latencies, 0.99),
        percentile(&latencies, 1.0),
    );
    resource_server.stop()?;
    server.stop()
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn per_second(count: usize, spent: Duration) -> f64 {
    count as f64 / spent.as_secs_f64()
}

/// Signs out at a steady rate; gives the times until refusals of those that were watched, in milliseconds.
async fn sign_out(
    server: &Server,
    resource_server: &Server,
    tokens: Vec<String>,
    options: &Options,
) -> Outcome<(Vec<f64>, Duration, usize)> {
    let count = (options.samples * WATCHED).min(tokens.len());
    let tokens = Arc::new(tokens);
    let (issuer, watched_at) = (server.address, resource_server.address);
    let started = Instant::now();
    let (watched, mut latencies) = mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for place in 0..SIGN_OUT_CONNECTIONS {
        let (tokens, watched) = (Arc::clone(&tokens), watched.clone());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(issuer).await?;
            let share = u32::try_from(SIGN_OUT_CONNECTIONS)?;
            let mut ticks = interval(Duration::from_secs(1) * share / u32::try_from(PER_SECOND)?);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for number in (place..count).step_by(SIGN_OUT_CONNECTIONS) {
                ticks.tick().await;
                let token = tokens[number].clone();
                let bearer = format!("authorization: Bearer {token}\r\n");
                connection.exchange(&post("/api/v1/logout", &serde_json::json!({}), &bearer)).await?.expect(204)?;
                if number % WATCHED == 0 {
                    let (sent, answered) = (watched.clone(), Instant::now());
                    tokio::spawn(async move { sent.send(until_refused(watched_at, &token, answered).await) });
                }
            }
            Outcome::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let spent = started.elapsed();
    drop(watched);
    let mut all = Vec::new();
    while let Some(latency) = latencies.recv().await {
        all.push(latency?);
    }
    Ok((all, spent, count))
}

/// Asks again and again until a token is refused.
async fn until_refused(address: SocketAddr, token: &str, answered: Instant) -> Outcome<f64> {
    let mut connection = Connection::open(address).await?;
    let ask = whoami(token);
    loop {
        match connection.exchange(&ask).await?.status {
            401 => return Ok(answered.elapsed().as_secs_f64() * 1_000.0),
            200 if answered.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            status => return Err(format!("{status} after {:?}", answered.elapsed()).into()),
        }
    }
}
