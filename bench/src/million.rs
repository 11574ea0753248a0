//! Does it get slower with the number of users? Look-ups and renewals with very many against the same with a thousand,
//! alternating, the server on one core and the generator on the other.

use std::time::{Duration, Instant};

use crate::client::{Load, drive, poll_for_answers};
use crate::deployment::{Deployment, SignedIn};
use crate::me::{Once, by_cookie};
use crate::process::{Cores, Reads, leave_first_core};
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
const LONGEST: Duration = Duration::from_secs(2);

/// A filled database and the people who use it.
struct Population {
    deployment: Deployment,
    people: Vec<SignedIn>,
    renewals: Vec<Renewals>,
    /// From where in the list of people the next look-ups are taken.
    turn: usize,
}

/// How often per second, and what each read.
#[derive(Clone, Copy, Default)]
struct Figure {
    per_second: f64,
    reads: Reads,
}

struct Figures {
    look_ups: Figure,
    renewals: Figure,
}

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    let mut few = Population::fill(FEW).await?;
    let mut many = Population::fill(options.users).await?;
    let users = options.users;
    let size_mib = std::fs::metadata(many.deployment.sqlite_file())?.len() >> 20;
    println!(
        "{users} users with two sessions each: {size_mib} MiB. Behind each figure: KiB that each read from files,"
    );
    println!("and how much of it came from the disk.\n");
    println!("| run | look-ups/s at {FEW} | at {users} | ratio | renewals/s at {FEW} | at {users} | ratio |");
    println!("|---|---|---|---|---|---|---|");
    let mut all = Vec::new();
    let span = options.span.min(LONGEST);
    for run in 1..=options.runs {
        let (small, large) = (few.measure(span).await?, many.measure(span).await?);
        let pairs = [(small.look_ups, large.look_ups), (small.renewals, large.renewals)];
        println!("| {run} | {} |", pairs.map(|pair| cells(pair, large_of_small(&pair))).join(" | "));
        all.push(pairs);
    }
    let medians = [0, 1].map(|place| {
        let of = |figure: fn(&(Figure, Figure)) -> f64| {
            median(&all.iter().map(|pairs| figure(&pairs[place])).collect::<Vec<_>>())
        };
        let small = Figure {
            per_second: of(|pair| pair.0.per_second),
            reads: Reads { asked_kib: of(|pair| pair.0.reads.asked_kib), disk_kib: of(|pair| pair.0.reads.disk_kib) },
        };
        let large = Figure {
            per_second: of(|pair| pair.1.per_second),
            reads: Reads { asked_kib: of(|pair| pair.1.reads.asked_kib), disk_kib: of(|pair| pair.1.reads.disk_kib) },
        };
        cells((small, large), of(large_of_small))
    });
    println!("| median | {} | (goal ≥ 0.75)", medians.join(" | "));
    Ok(())
}

fn large_of_small((small, large): &(Figure, Figure)) -> f64 {
    large.per_second / small.per_second
}

fn cells((small, large): (Figure, Figure), ratio: f64) -> String {
    let [small, large] = [small, large]
        .map(|Figure { per_second, reads }| format!("{per_second:.0} ({:.1}, {:.1})", reads.asked_kib, reads.disk_kib));
    format!("{small} | {large} | **{ratio:.2}**")
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
        let (mut looked_up, mut seconds, mut read) = (0.0, 0.0, Reads::default());
        let mut renewals = Figure::default();
        for start in 1..=STARTS {
            let server = self.deployment.serve(Cores::First)?;
            self.renew(server.address, WARM_UP).await?;
            let before = server.reads()?;
            let (load, _) = drive(server.address, self.look_ups(), Duration::from_mins(1)).await?;
            let more = server.reads()?.each_since(before, 1.0);
            read = Reads { asked_kib: read.asked_kib + more.asked_kib, disk_kib: read.disk_kib + more.disk_kib };
            let count = load.latencies_ms.len() as f64;
            looked_up += count;
            seconds += count / load.per_second;
            if start == STARTS {
                let before = server.reads()?;
                let load = self.renew(server.address, span).await?;
                let reads = server.reads()?.each_since(before, load.latencies_ms.len() as f64);
                renewals = Figure { per_second: load.per_second, reads };
            }
            server.stop()?;
        }
        let reads = read.each_since(Reads::default(), looked_up);
        Ok(Figures { look_ups: Figure { per_second: looked_up / seconds, reads }, renewals })
    }

    async fn renew(&mut self, server: std::net::SocketAddr, span: Duration) -> Outcome<Load> {
        let (load, back) = drive(server, std::mem::take(&mut self.renewals), span).await?;
        self.renewals = back;
        Ok(load)
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
