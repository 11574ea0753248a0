//! Does the time of an answer tell whether an account exists? Interleaved samples of every class, one request at a time.

use std::time::{Duration, Instant};

use doorward_app::hashing::{HashParameters, Hasher, HasherOptions};
use doorward_model::email::EmailAddress;
use doorward_model::id::SignupId;
use doorward_model::password::Password;
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{Clock as _, DAY_MS};
use doorward_server::telemetry::sources::{SystemClock, SystemRandom};
use doorward_store::StoreError;
use doorward_store::pending_signups::{self, PendingSignup};

use crate::client::{Connection, post};
use crate::deployment::{Account, Deployment, Filling};
use crate::process::Cores;
use crate::statistics::{median, same_distribution};
use crate::{Options, Outcome};

const RIGHT: &str = "a right horse eats no battery";
const WRONG: &str = "a wrong horse eats no battery";

/// One kind of request: where it goes, what it must answer, and its name.
struct Class {
    name: &'static str,
    path: &'static str,
    status: u16,
    /// Whose address the sample with this number uses.
    email: fn(usize) -> String,
    password: Option<&'static str>,
    /// Whether every sample comes from another network; else all come from one.
    spread: bool,
    samples: Vec<f64>,
}

fn class(name: &'static str, path: &'static str, status: u16, email: fn(usize) -> String) -> Class {
    let password = (!path.ends_with("forgot")).then_some(WRONG);
    Class { name, path, status, email, password, spread: true, samples: Vec::new() }
}

const LOGIN: &str = "/api/v1/login";
const SIGNUP: &str = "/api/v1/signup";
const FORGOT: &str = "/api/v1/password/forgot";

/// Measures and judges.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let samples = options.samples;
    let deployment = Deployment::new(None)?;
    let filling = deployment.open().await?;
    fill(&filling, samples).await?;
    filling.close().await;
    let server = deployment.serve(Cores::All)?;
    let mut connection = Connection::open(server.address).await?;

    let mut sign_in = [
        class("unknown", LOGIN, 401, |n| format!("nobody{n}@example.com")),
        class("wrong password", LOGIN, 401, |n| format!("known{n}@example.com")),
        class("pending", LOGIN, 401, |n| format!("pending{n}@example.com")),
        class("disabled", LOGIN, 401, |n| format!("disabled{n}@example.com")),
        class("without password", LOGIN, 401, |n| format!("without{n}@example.com")),
    ];
    measure(&mut connection, &mut sign_in, samples).await?;
    judge("Sign-in", &sign_in);

    let mut throttled = [
        class("throttled, known", LOGIN, 429, |_| "throttled0@example.com".to_owned()),
        class("throttled, unknown", LOGIN, 429, |_| "nothing0@example.com".to_owned()),
    ];
    for class in &mut throttled {
        class.spread = false;
        exhaust(&mut connection, class).await?;
    }
    measure(&mut connection, &mut throttled, samples).await?;
    judge("Sign-in, throttled", &throttled);

    let mut signup = [
        class("new address", SIGNUP, 202, |n| format!("fresh{n}@example.com")),
        class("known address", SIGNUP, 202, |n| format!("signup{n}@example.com")),
    ];
    measure(&mut connection, &mut signup, samples).await?;
    judge("Sign-up", &signup);

    let mut forgot = [
        class("unknown address", FORGOT, 202, |n| format!("absent{n}@example.com")),
        class("known address", FORGOT, 202, |n| format!("forgot{n}@example.com")),
    ];
    measure(&mut connection, &mut forgot, samples).await?;
    judge("Forgotten password", &forgot);
    server.stop()
}

async fn fill(filling: &Filling, samples: usize) -> Outcome<()> {
    let cores = std::thread::available_parallelism()?;
    let hasher = Hasher::start(HasherOptions::for_machine(HashParameters::DEFAULT, cores, 1 << 30))?;
    let password = Password::new(RIGHT).map_err(|_| "the password is refused")?;
    let phc = hasher.hash(password, doorward_model::random::bytes(&SystemRandom)).await?;
    for (prefix, kind) in [
        ("known", Account::Usual),
        ("disabled", Account::Disabled),
        ("without", Account::WithoutPassword),
        ("throttled", Account::Usual),
        ("signup", Account::Usual),
        ("forgot", Account::Usual),
    ] {
        filling.add_accounts(prefix, samples, kind, &phc).await?;
    }
    let now = SystemClock.now();
    let pending: Vec<PendingSignup> = (0..samples)
        .map(|number| {
            let email = format!("pending{number}@example.com");
            PendingSignup {
                id: SignupId::new(now, &SystemRandom),
                email_canonical: EmailAddress::parse(&email)
                    .map_or(email.clone(), |email| email.canonical().to_owned()),
                email,
                name: None,
                locale: Some("en".to_owned()),
                phc: phc.clone(),
                policy: "1:15".to_owned(),
                handle_hash: PlainToken::new(TokenKind::OneTime, &SystemRandom).hash(),
                link_hash: Some(PlainToken::new(TokenKind::OneTime, &SystemRandom).hash()),
                code_issued_at: Some(now),
                code_attempts: 0,
                created_at: now,
                expires_at: now.plus_ms(DAY_MS),
            }
        })
        .collect();
    filling
        .store()
        .write(move |tx| {
            for signup in &pending {
                pending_signups::insert(tx, signup)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}

/// A request of this class; its network is in 10.0.0.0/8, one for each request where they are spread.
fn request(class: &Class, place: usize, number: usize) -> Vec<u8> {
    let network = if class.spread { number * 16 + place } else { 0xff_0000 + place };
    let from = format!("x-forwarded-for: 10.{}.{}.{}\r\n", (network >> 16) & 255, (network >> 8) & 255, network & 255);
    let mut body = serde_json::json!({ "email": (class.email)(number) });
    if let Some(password) = class.password {
        body["password"] = password.into();
    }
    post(class.path, &body, &from)
}

async fn exhaust(connection: &mut Connection, class: &Class) -> Outcome<()> {
    let place = usize::from(class.name.ends_with("unknown"));
    let deadline = Instant::now() + Duration::from_mins(1);
    // Until a refusal will last: the time to wait doubles with each attempt that was admitted.
    let mut admitted = 0;
    while admitted < 12 && Instant::now() < deadline {
        if connection.exchange(&request(class, place, 0)).await?.status == 429 {
            if admitted >= 9 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        } else {
            admitted += 1;
        }
    }
    Ok(())
}

async fn measure(connection: &mut Connection, classes: &mut [Class], samples: usize) -> Outcome<()> {
    let count = classes.len();
    for number in 0..samples {
        for turn in 0..count {
            // Another order each round, so that no class always follows the same one.
            let place = (turn * if number % 2 == 0 { 1 } else { count - 1 } + number) % count;
            let class = &mut classes[place];
            let request = request(class, place, number);
            let sent = Instant::now();
            let answer = connection.exchange(&request).await?;
            let took = sent.elapsed().as_secs_f64() * 1000.0;
            answer.expect(class.status).map_err(|error| format!("{}: {error}", class.name))?;
            class.samples.push(took);
        }
    }
    Ok(())
}

fn judge(title: &str, classes: &[Class]) {
    println!("\n{title}, {} samples each\n", classes.first().map_or(0, |class| class.samples.len()));
    for class in classes {
        println!("- {}: median {:.2} ms", class.name, median(&class.samples));
    }
    println!("\n| pair | Δ median ms | allowed ms | KS p | met |\n|---|---|---|---|---|");
    for (index, first) in classes.iter().enumerate() {
        for second in &classes[index + 1..] {
            let (a, b) = (median(&first.samples), median(&second.samples));
            let allowed = (a.min(b) * 0.05).max(2.0);
            let difference = (a - b).abs();
            let p = same_distribution(&first.samples, &second.samples);
            let met = if difference < allowed { "yes" } else { "no" };
            println!("| {} / {} | {difference:.2} | {allowed:.2} | {p:.3} | {met} |", first.name, second.name);
        }
    }
}
