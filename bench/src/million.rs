//! Does it get slower with the number of users? Look-ups and renewals with very many against the same with a thousand,
//! alternating, the server on one core and the generator on the other.

use std::time::{Duration, Instant};

use crate::client::drive;
use crate::deployment::{Deployment, SignedIn};
use crate::me::{Once, by_cookie};
use crate::process::{Cores, leave_first_core};
use crate::renewal::{CONNECTIONS, Renewals, scripts};
use crate::statistics::median;
use crate::{Options, Outcome};

const FEW: usize = 1000;
/// People among the many whose sessions are used, spread evenly.
const SAMPLE: usize = 64_000;
/// Starts of the server per figure: only a fresh process has looked at no session yet.
const STARTS: usize = 3;
/// Renewals before each look-up, so that both databases' pages are as warm as they are in a server that works.
const WARM_UP: Duration = Duration::from_millis(300);
/// Longer, and each of few families would meet its limit of 60 renewals at once.
const LONGEST: Duration = Duration::from_secs(3);

/// A filled database and the people who use it.
struct Population {
    deployment: Deployment,
    people: Vec<SignedIn>,
    renewals: Vec<Renewals>,
    /// From where in the list of people the next look-ups are taken.
    turn: usize,
}

struct Figures {
    look_ups: f64,
    renewals: f64,
}

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    let mut few = Population::fill(FEW).await?;
    let mut many = Population::fill(options.users).await?;
    let users = options.users;
    let size_mib = std::fs::metadata(many.deployment.sqlite_file())?.len() >> 20;
    println!("{users} users with two sessions each: {size_mib} MiB\n");
    println!("| run | look-ups/s at {FEW} | at {users} | ratio | renewals/s at {FEW} | at {users} | ratio |");
    println!("|---|---|---|---|---|---|---|");
    let mut rows: Vec<[f64; 6]> = Vec::new();
    let span = options.span.min(LONGEST);
    for run in 1..=options.runs {
        let (small, large) = (few.measure(span).await?, many.measure(span).await?);
        let (looked_up, renewed) = (large.look_ups / small.look_ups, large.renewals / small.renewals);
        println!(
            "| {run} | {:.0} | {:.0} | {looked_up:.2} | {:.0} | {:.0} | {renewed:.2} |",
            small.look_ups, large.look_ups, small.renewals, large.renewals
        );
        rows.push([small.look_ups, large.look_ups, looked_up, small.renewals, large.renewals, renewed]);
    }
    let middle = |column: usize| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
    println!(
        "| median | {:.0} | {:.0} | **{:.2}** | {:.0} | {:.0} | **{:.2}** | (goal ≥ 0.75)",
        middle(0),
        middle(1),
        middle(2),
        middle(3),
        middle(4),
        middle(5)
    );
    Ok(())
}

impl Population {
    async fn fill(users: usize) -> Outcome<Self> {
        let deployment = Deployment::new(None)?;
        let filling = deployment.open().await?;
        let started = Instant::now();
        let people = filling.add_many_signed_in(users, (users / SAMPLE).max(1)).await?;
        filling.close().await;
        eprintln!("{users} people added in {:.0} s", started.elapsed().as_secs_f64());
        let renewals = scripts(&people);
        Ok(Self { deployment, people, renewals, turn: 0 })
    }

    /// Look-ups of [`FEW`] sessions that the server has not seen, a few times, then renewals.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    async fn measure(&mut self, span: Duration) -> Outcome<Figures> {
        let (mut looked_up, mut seconds, mut renewals) = (0, 0.0, 0.0);
        for start in 1..=STARTS {
            let server = self.deployment.serve(Cores::First)?;
            self.renew(server.address, WARM_UP).await?;
            let (load, _) = drive(server.address, self.look_ups(), Duration::from_mins(1)).await?;
            looked_up += load.latencies_ms.len();
            seconds += load.latencies_ms.len() as f64 / load.per_second;
            if start == STARTS {
                renewals = self.renew(server.address, span).await?;
            }
            server.stop()?;
        }
        Ok(Figures { look_ups: looked_up as f64 / seconds, renewals })
    }

    async fn renew(&mut self, server: std::net::SocketAddr, span: Duration) -> Outcome<f64> {
        let (load, back) = drive(server, std::mem::take(&mut self.renewals), span).await?;
        self.renewals = back;
        Ok(load.per_second)
    }

    /// Asks once for each of the next people's sessions.
    fn look_ups(&mut self) -> Vec<Once> {
        let next = self.people.iter().cycle().skip(self.turn).take(FEW);
        let requests: Vec<Vec<u8>> = next.map(|person| by_cookie(&person.cookie)).collect();
        self.turn = (self.turn + FEW) % self.people.len();
        let deal = |place| requests.iter().skip(place).step_by(CONNECTIONS).cloned().collect::<Vec<_>>();
        (0..CONNECTIONS).map(|place| Once(deal(place).into_iter())).collect()
    }
}
