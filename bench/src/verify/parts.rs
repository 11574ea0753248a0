//! Checks alone, without a server around them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use doorward_verify::client::{Answer, HttpClient, Limits};
use doorward_verify::{Issuer, Verifier};
use http::{Request, Response};

use super::AUDIENCE;
use super::issuer::SigningKey;
use crate::Outcome;

const ISSUER: &str = "https://auth.example.com";
/// Distinct tokens of a round.
const TOKENS: usize = 20_000;
/// Distinct tokens that are remembered.
const REMEMBERED: usize = 100_000;
/// Distinct tokens that come again and again.
const IN_USE: usize = 1_000;
/// Half of a cache may be forgotten at once; tokens do not spread quite evenly over its parts.
const CAPACITY: usize = 220_000;

/// Answers every request with the keys.
#[derive(Debug)]
struct Keys(Bytes);

impl HttpClient for Keys {
    fn send(&self, _: Request<Bytes>, _: Limits) -> Answer<'_> {
        let keys = self.0.clone();
        Box::pin(async move { Ok(Response::new(keys)) })
    }
}

fn verifier(key: &SigningKey, cached: usize) -> Outcome<Verifier> {
    let issuer = Issuer::new(ISSUER).audience(AUDIENCE).jwks_uri(&format!("{ISSUER}/keys"));
    let keys = Keys(Bytes::from(key.key_set().to_string()));
    Ok(Verifier::builder().issuer(issuer).http_client(keys).cached_tokens(cached).build()?)
}

fn tokens(key: &SigningKey, count: usize) -> Vec<String> {
    (0..count).map(|number| key.access_token(ISSUER, number)).collect()
}

/// Checks per second, or MiB.
pub(crate) fn part(name: &str, span: Duration) -> Outcome<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match name {
            "verify-bare" => bare(span),
            "verify-unseen" => unseen(span).await,
            "verify-seen" => seen(span, IN_USE).await,
            "verify-seen-any" => seen(span, REMEMBERED).await,
            "verify-memory" => memory().await,
            "verify-hostile" => hostile().await,
            _ => Err(format!("no part is called {name}").into()),
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn rate(count: usize, spent: Duration) -> f64 {
    count as f64 / spent.as_secs_f64()
}

/// The signature alone: the signed bytes and the signature lie ready.
fn bare(span: Duration) -> Outcome<f64> {
    let key = SigningKey::new()?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_point());
    let mut ready = Vec::with_capacity(TOKENS);
    for token in tokens(&key, TOKENS) {
        let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
        ready.push((signed.to_owned(), URL_SAFE_NO_PAD.decode(signature)?));
    }
    let (started, mut count) = (Instant::now(), 0);
    for (signed, signature) in ready.iter().cycle() {
        public.verify(black_box(signed.as_bytes()), signature).map_err(|_| "not verified")?;
        count += 1;
        if count % 64 == 0 && started.elapsed() >= span {
            break;
        }
    }
    Ok(rate(count, started.elapsed()))
}

/// Every token for the first time, and remembered.
async fn unseen(span: Duration) -> Outcome<f64> {
    let key = SigningKey::new()?;
    let tokens = tokens(&key, TOKENS);
    let (mut spent, mut count) = (Duration::ZERO, 0);
    while spent < span {
        let verifier = verifier(&key, REMEMBERED)?;
        // The keys are fetched.
        verifier.verify(&key.access_token(ISSUER, TOKENS)).await?;
        let started = Instant::now();
        for token in &tokens {
            black_box(verifier.verify(black_box(token)).await?);
        }
        spent += started.elapsed();
        count += tokens.len();
    }
    Ok(rate(count, spent))
}

/// So many of all that are remembered, one after the other.
async fn seen(span: Duration, in_use: usize) -> Outcome<f64> {
    let key = SigningKey::new()?;
    let tokens = tokens(&key, REMEMBERED);
    let verifier = verifier(&key, CAPACITY)?;
    for token in &tokens {
        verifier.verify(token).await?;
    }
    let (started, mut count, mut place) = (Instant::now(), 0, 0);
    loop {
        // 7,919 is prime and divides neither number of tokens: an order that no cache of the processor likes.
        place = (place + 7_919) % in_use;
        black_box(verifier.verify(black_box(&tokens[place])).await?);
        count += 1;
        if count % 4_096 == 0 && started.elapsed() >= span {
            break;
        }
    }
    if verifier.remembered_tokens() < REMEMBERED {
        return Err("tokens were forgotten meanwhile".into());
    }
    Ok(rate(count, started.elapsed()))
}

/// What 100,000 remembered tokens take of memory, beside their texts, in MiB.
#[expect(clippy::cast_precision_loss, reason = "a size in memory")]
async fn memory() -> Outcome<f64> {
    let key = SigningKey::new()?;
    let tokens = tokens(&key, REMEMBERED + 1);
    let verifier = verifier(&key, CAPACITY)?;
    verifier.verify(&tokens[REMEMBERED]).await?;
    let before = resident_bytes()?;
    for token in &tokens[..REMEMBERED] {
        verifier.verify(token).await?;
    }
    let taken = resident_bytes()?.saturating_sub(before) as f64 / 1_048_576.0;
    if verifier.remembered_tokens() < REMEMBERED {
        return Err("tokens were forgotten meanwhile".into());
    }
    Ok(taken)
}

/// The longest that a refusal of a text takes that was made to take long, in milliseconds: of each the quickest of a few
/// attempts, since what else runs here is not its doing.
async fn hostile() -> Outcome<f64> {
    let key = SigningKey::new()?;
    let good = key.access_token(ISSUER, 0);
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { return Err("no token".into()) };
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let many = |text: &str| {
        let members: serde_json::Map<_, _> = (0..1_000).map(|number| (format!("{text}{number}"), 0.into())).collect();
        serde_json::Value::Object(members).to_string()
    };
    let texts = [
        ".".repeat(1 << 20),
        "A".repeat(1 << 20),
        format!("{good}{}", "A".repeat(1 << 20)),
        format!("{}.{payload}.{signature}", encode(&deep(5_000))),
        format!("{header}.{}.{signature}", encode(&deep(5_000))),
        format!("{header}.{}.{signature}", encode(&many("claim"))),
        format!("{}.{payload}.{signature}", encode(&many("member"))),
        format!("{header}.{payload}.{}", "A".repeat(12_000)),
        format!("{header}.{payload}.{}", encode(&"x".repeat(64))),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":"ES256","typ":"at+jwt"}"#)),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":"ES256","typ":"at+jwt","kid":"another"}"#)),
    ];
    let verifier = verifier(&key, CAPACITY)?;
    verifier.verify(&good).await?;
    let mut longest = Duration::ZERO;
    for text in &texts {
        let mut quickest = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            if black_box(verifier.verify(black_box(text)).await).is_ok() {
                return Err("a hostile text was taken".into());
            }
            quickest = quickest.min(started.elapsed());
        }
        longest = longest.max(quickest);
    }
    Ok(longest.as_secs_f64() * 1_000.0)
}

/// Memory in use by this process.
fn resident_bytes() -> Outcome<u64> {
    let fields = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = fields.split(' ').nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4_096)
}
