//! `GET /api/v1/me` against the bare handler: server on one core, generator on the other.

use std::time::Duration;

use crate::client::{Answer, Connection, Load, Repeat, Script, drive, get, poll_for_answers, post};
use crate::deployment::Deployment;
use crate::process::{Cores, leave_first_core};
use crate::renewal::hello;
use crate::statistics::median;
use crate::{Options, Outcome};

const CONNECTIONS: usize = 64;
/// Sessions that nobody has asked for before, for each connection.
const COLD_PER_CONNECTION: usize = 600;

/// Asks once for each of many things.
pub(crate) struct Once(pub(crate) std::vec::IntoIter<Vec<u8>>);

impl Script for Once {
    fn request(&mut self) -> Option<Vec<u8>> {
        self.0.next()
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        answer.expect(200).map(drop)
    }
}

/// Asks who holds this cookie.
pub(crate) fn by_cookie(cookie: &str) -> Vec<u8> {
    get("/api/v1/me", &format!("cookie: __Host-doorward={cookie}\r\n"))
}

/// Compares warm and cold.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    let deployment = Deployment::new(None)?;
    let filling = deployment.open().await?;
    let people = filling.add_signed_in(CONNECTIONS * COLD_PER_CONNECTION + CONNECTIONS).await?;
    filling.close().await;
    let (hot, cold) = people.split_at(CONNECTIONS);
    let hello = hello(Cores::First)?;
    let server = deployment.serve(Cores::First)?;

    let mut bearers = Vec::new();
    let mut connection = Connection::open(server.address).await?;
    for person in hot {
        let ask = post("/api/v1/token", &serde_json::json!({ "refresh_token": person.refresh_token }), "");
        let answer = connection.exchange(&ask).await?.expect(200)?.json()?;
        let token = answer["access_token"].as_str().ok_or("no access token")?.to_owned();
        bearers.push(Repeat(get("/api/v1/me", &format!("authorization: Bearer {token}\r\n"))));
    }
    let cookies: Vec<Repeat> = hot.iter().map(|person| Repeat(by_cookie(&person.cookie))).collect();
    let started = Duration::from_millis(300);
    drive(server.address, cookies.clone(), started).await?;
    drive(server.address, bearers.clone(), started).await?;

    let mut rows: Vec<[f64; 5]> = Vec::new();
    println!("| run | hello/s | cookie/s | ratio | Bearer/s | ratio |\n|---|---|---|---|---|---|");
    for run in 1..=options.runs {
        let bare = drive(hello.address, vec![Repeat(get("/", "")); CONNECTIONS], options.span).await?.0.per_second;
        let cookie = drive(server.address, cookies.clone(), options.span).await?.0.per_second;
        let bearer = drive(server.address, bearers.clone(), options.span).await?.0.per_second;
        let row = [bare, cookie, cookie / bare, bearer, bearer / bare];
        println!("| {run} | {bare:.0} | {cookie:.0} | {:.2} | {bearer:.0} | {:.2} |", row[2], row[4]);
        rows.push(row);
    }
    let middle = |column: usize| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
    println!(
        "| median | {:.0} | {:.0} | **{:.2}** | {:.0} | **{:.2}** | (goal ≥ 0.4)",
        middle(0),
        middle(1),
        middle(2),
        middle(3),
        middle(4)
    );

    let scripts: Vec<Once> = cold
        .chunks(COLD_PER_CONNECTION)
        .map(|chunk| Once(chunk.iter().map(|person| by_cookie(&person.cookie)).collect::<Vec<_>>().into_iter()))
        .collect();
    let (load, _): (Load, _) = drive(server.address, scripts, Duration::from_secs(1)).await?;
    println!("\ncold session cache: {:.0}/s by cookie, {:.2} of hello", load.per_second, load.per_second / middle(0));
    server.stop()
}
