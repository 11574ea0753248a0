//! Renewals by refresh token against the limit of their parts: the server and each part on one core, the generator on
//! the other, alternating.

use std::path::Path;
use std::time::Duration;

use crate::client::{Answer, Repeat, Script, drive, get, poll_for_answers, post};
use crate::deployment::{Deployment, SignedIn, target};
use crate::process::{Cores, Server, command, free_address, leave_first_core};
use crate::statistics::{median, percentile};
use crate::{Options, Outcome};

pub(crate) const CONNECTIONS: usize = 64;
/// So many that no family meets its limit of 60 at once.
pub(crate) const FAMILIES_PER_CONNECTION: usize = 64;

/// One connection's families, renewed in turn.
pub(crate) struct Renewals {
    tokens: Vec<String>,
    next: usize,
}

impl Script for Renewals {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(post("/api/v1/token", &serde_json::json!({ "refresh_token": self.tokens[self.next] }), ""))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let body = answer.expect(200)?.body;
        let token = read_refresh_token(std::str::from_utf8(&body)?)?;
        if token == self.tokens[self.next] {
            return Err("the same refresh token again".into());
        }
        token.clone_into(&mut self.tokens[self.next]);
        self.next = (self.next + 1) % self.tokens.len();
        Ok(())
    }
}

/// The refresh token in an answer. Cutting it out is cheaper than parsing, and it is cut out after the name of its
/// member: `dwr_` alone also stands in the signature of one access token in 200,000.
fn read_refresh_token(body: &str) -> Outcome<&str> {
    let (_, rest) = body.split_once(r#""refresh_token":""#).ok_or("no refresh token in the answer")?;
    let (token, _) = rest.split_once('"').ok_or("an answer that ends in its refresh token")?;
    Ok(token)
}

/// Deals everybody's families out to the connections.
pub(crate) fn scripts(people: &[SignedIn]) -> Vec<Renewals> {
    let deal = |place| people.iter().skip(place).step_by(CONNECTIONS).map(|person| person.refresh_token.clone());
    (0..CONNECTIONS).map(|place| Renewals { tokens: deal(place).collect(), next: 0 }).collect()
}

/// Compares on SQLite.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    let deployment = Deployment::new(None)?;
    let filling = deployment.open().await?;
    let people = filling.add_signed_in(CONNECTIONS * FAMILIES_PER_CONNECTION).await?;
    filling.close().await;
    let copy = tempfile::tempdir_in(target())?;
    let part = copy.path().join("part.db");
    std::fs::copy(deployment.sqlite_file(), &part)?;

    let hello = hello(Cores::First)?;
    let server = deployment.serve(Cores::First)?;
    let mut scripts = scripts(&people);
    // Every family once: the first renewal of each also records its network.
    (_, scripts) = drive(server.address, scripts, Duration::from_secs(2)).await?;
    let (mut h, mut s, mut r, mut done, mut ratios) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut p99, mut cpu_us) = (vec![], vec![]);
    println!(
        "| run | hello/s | signatures/s | rotations/s | parts limit/s | renewals/s | ratio | p99 ms | server CPU µs |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for run in 1..=options.runs {
        let bare = drive(hello.address, vec![Repeat(get("/", "")); CONNECTIONS], options.span).await?.0;
        let signed = part_rate("signatures", None, options.span)?;
        let rotated = part_rate("rotations", Some(&part), options.span)?;
        let before = server.cpu_seconds()?;
        let (load, back) = drive(server.address, scripts, options.span).await?;
        let spent = server.cpu_seconds()? - before;
        scripts = back;
        let limit = 1.0 / (1.0 / bare.per_second + 1.0 / signed + 1.0 / rotated);
        let tail = percentile(&load.latencies_ms, 0.99);
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let each = spent * 1e6 / load.latencies_ms.len() as f64;
        println!(
            "| {run} | {:.0} | {signed:.0} | {rotated:.0} | {limit:.0} | {:.0} | {:.2} | {tail:.1} | {each:.0} |",
            bare.per_second,
            load.per_second,
            load.per_second / limit
        );
        h.push(bare.per_second);
        s.push(signed);
        r.push(rotated);
        done.push(load.per_second);
        ratios.push(load.per_second / limit);
        p99.push(tail);
        cpu_us.push(each);
    }
    println!(
        "| median | {:.0} | {:.0} | {:.0} | | {:.0} | **{:.2}** (goal ≥ 0.6) | {:.1} | {:.0} |",
        median(&h),
        median(&s),
        median(&r),
        median(&done),
        median(&ratios),
        median(&p99),
        median(&cpu_us)
    );
    server.stop()
}

/// The bare handler as a process of its own.
pub(crate) fn hello(cores: Cores) -> Outcome<Server> {
    let address = free_address()?;
    let arguments = ["serve-hello".to_owned(), address.to_string()];
    Server::start(&std::env::current_exe()?, &arguments, address, cores, "/", std::process::Stdio::null())
}

/// What a part, measured alone on the first core, comes to.
pub(crate) fn part_rate(name: &str, file: Option<&Path>, span: Duration) -> Outcome<f64> {
    let mut command = command(&std::env::current_exe()?, Cores::First);
    command.args(["part", name, &span.as_millis().to_string()]).args(file);
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renewals() -> Renewals {
        Renewals { tokens: vec!["dwr_first".to_owned()], next: 0 }
    }

    #[test]
    fn an_access_token_with_the_prefix_of_refresh_tokens_in_it_is_not_taken_for_one() {
        let mut renewals = renewals();
        let body = br#"{"access_token":"e30.e30.x7dwr_Q2z","token_type":"Bearer","refresh_token":"dwr_second"}"#;
        renewals.accept(Answer { status: 200, body: body.to_vec(), ..Answer::default() }).unwrap();
        assert_eq!(renewals.tokens, ["dwr_second"]);
    }

    #[test]
    fn an_answer_without_a_new_refresh_token_is_an_error() {
        let answer = |body: &str| Answer { status: 200, body: body.into(), ..Answer::default() };
        assert!(renewals().accept(answer(r#"{"access_token":"e30.e30.x7dwr_Q2z"}"#)).is_err());
        assert!(renewals().accept(answer(r#"{"refresh_token":"dwr_first"}"#)).is_err());
    }
}
