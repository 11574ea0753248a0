//! Time to the first answer, and memory.

use std::time::Duration;

use crate::client::{Connection, post};
use crate::deployment::Deployment;
use crate::process::Cores;
use crate::renewal::hello;
use crate::sign_in::deployment_with_passwords;
use crate::statistics::median;
use crate::{Options, Outcome};

/// From start to first answer, on data that is there, against the bare handler.
pub(crate) async fn start(options: &Options) -> Outcome<()> {
    let deployment = Deployment::new(None)?;
    let filling = deployment.open().await?;
    filling.add_signed_in(1000).await?;
    filling.close().await;
    deployment.serve(Cores::All)?.stop()?;
    let (mut bare, mut full) = (vec![], vec![]);
    // Starts are short: more of them than of other runs.
    for _ in 0..options.runs * 4 {
        let server = hello(Cores::All)?;
        bare.push(server.started_in.as_secs_f64() * 1000.0);
        drop(server);
        let server = deployment.serve(Cores::All)?;
        full.push(server.started_in.as_secs_f64() * 1000.0);
        server.stop()?;
    }
    let (bare, full) = (median(&bare), median(&full));
    println!("hello {bare:.1} ms, doorward {full:.1} ms: **{:.1}** times (goal < 10)", full / bare);
    Ok(())
}

/// Resident memory in three states.
pub(crate) async fn memory() -> Outcome<()> {
    const SIGN_INS: usize = 500;
    const HASH_MIB: f64 = 19.0;
    let deployment = deployment_with_passwords(SIGN_INS).await?;
    let server = deployment.serve(Cores::All)?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = server.resident_mib()?;

    let mut tasks = Vec::new();
    for number in 0..SIGN_INS {
        let address = server.address;
        tasks.push(tokio::spawn(async move {
            let body = serde_json::json!({
                "email": format!("person{number}@example.com"),
                "password": "a right horse eats no battery",
                "mode": "token",
            });
            let network = format!("x-forwarded-for: 10.1.{}.{}\r\n", number >> 8, number & 255);
            let mut connection = Connection::open(address).await?;
            let answer = connection.exchange(&post("/api/v1/login", &body, &network)).await?;
            Outcome::Ok(answer.status)
        }));
    }
    let mut peak: f64 = 0.0;
    while tasks.iter().any(|task| !task.is_finished()) {
        peak = peak.max(server.resident_mib()?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut done, mut busy) = (0, 0);
    for task in tasks {
        match task.await?? {
            200 => done += 1,
            503 => busy += 1,
            other => return Err(format!("a sign-in was answered with {other}").into()),
        }
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    let after = server.resident_mib()?;
    #[expect(clippy::cast_precision_loss, reason = "a count of cores")]
    let permits = std::thread::available_parallelism()?.get() as f64;
    println!("| state | MiB | goal |\n|---|---|---|");
    println!("| idle | {idle:.1} | < 25 |");
    println!(
        "| {SIGN_INS} concurrent sign-ins ({done} done, {busy} told to come back) | {peak:.1} | < {:.1} |",
        idle + permits * HASH_MIB + 30.0
    );
    println!("| 30 s after | {after:.1} | < {:.1} |", idle + 10.0);
    server.stop()
}
