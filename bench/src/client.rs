//! A small HTTP/1.1 client that keeps its connection: one request at a time, answers with a content length or in
//! chunks. It does as little as possible, so that the generator is not what is measured.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Outcome;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The values of the headers of this name.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Outcome<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// Refuses another status.
    pub(crate) fn expect(self, status: u16) -> Outcome<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(8192) })
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some(answer) = self.parse()? {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }

    fn parse(&self) -> Outcome<Option<Answer>> {
        let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&self.received[..end])?;
        let status: u16 = head.get(9..12).ok_or("no status")?.parse()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let body = &self.received[end + 4..];
        let length = match length {
            Some(length) => length,
            None if status == 204 => 0,
            None if is_chunked(head) => {
                return Ok(join_chunks(body)?.map(|body| Answer { status, head: head.to_owned(), body }));
            }
            None => return Err("an answer without a length".into()),
        };
        let answer = || Answer { status, head: head.to_owned(), body: body[..length].to_vec() };
        Ok((body.len() >= length).then(answer))
    }
}

fn is_chunked(head: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"))
}

/// The content of all chunks (RFC 9112 section 7.1), once the last one is there; trailers are not expected.
fn join_chunks(mut rest: &[u8]) -> Outcome<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end])?, 16)?;
        let Some(chunk) = rest.get(end + 2..end + 2 + size + 2) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&chunk[..size]);
        rest = &rest[end + 2 + size + 2..];
    }
}

/// A request of one of the methods with a body.
pub(crate) fn post(path: &str, body: &serde_json::Value, more: &str) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request without a body.
pub(crate) fn get(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n").into_bytes()
}

/// What one connection asks again and again.
pub(crate) trait Script: Send + 'static {
    /// The next request; none when the connection has asked for everything it was to ask for.
    fn request(&mut self) -> Option<Vec<u8>>;
    /// Looks at its answer.
    fn accept(&mut self, answer: Answer) -> Outcome<()>;
}

/// The same request for ever.
#[derive(Clone)]
pub(crate) struct Repeat(pub(crate) Vec<u8>);

impl Script for Repeat {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        answer.expect(200).map(drop)
    }
}

/// Whether the generator asks for answers again and again instead of sleeping until one is there.
static POLLS: AtomicBool = AtomicBool::new(false);

/// From now on answers are asked for without sleeping. Whoever sleeps has to be woken, by the system and at the cost of
/// the server that has just answered; clients on other machines cost it nothing of the kind, nor does a generator
/// that never gets to sleep, as a bare handler's does. Only for a generator that has a core to itself.
pub(crate) fn poll_for_answers() {
    POLLS.store(true, Ordering::Relaxed);
}

/// A task that is always ready, so that the runtime never waits.
fn keep_awake() -> Option<tokio::task::JoinHandle<()>> {
    POLLS.load(Ordering::Relaxed).then(|| {
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        })
    })
}

/// How a load went.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) latencies_ms: Vec<f64>,
}

/// Runs each script on its own connection for `span`, or until it ends; the scripts come back for the next run.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(crate) async fn drive<S: Script>(address: SocketAddr, scripts: Vec<S>, span: Duration) -> Outcome<(Load, Vec<S>)> {
    let awake = keep_awake();
    let started = Instant::now();
    let mut tasks = Vec::new();
    for mut script in scripts {
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut latencies = Vec::new();
            while started.elapsed() < span {
                let Some(request) = script.request() else { break };
                let sent = Instant::now();
                let answer = connection.exchange(&request).await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
                script.accept(answer)?;
            }
            Outcome::Ok((script, latencies))
        }));
    }
    let (mut scripts, mut latencies_ms) = (Vec::new(), Vec::new());
    for task in tasks {
        let (script, latencies) = task.await??;
        scripts.push(script);
        latencies_ms.extend(latencies);
    }
    let per_second = latencies_ms.len() as f64 / started.elapsed().as_secs_f64();
    if let Some(awake) = awake {
        awake.abort();
    }
    Ok((Load { per_second, latencies_ms }, scripts))
}

/// Asks the same on one connection at a steady pace: how long each answer took, in milliseconds. Asking without a pause
/// would take the processor from what goes on beside it, and more of it the dearer the answer is.
pub(crate) async fn probe(address: SocketAddr, request: &[u8], every: Duration, span: Duration) -> Outcome<Vec<f64>> {
    let mut connection = Connection::open(address).await?;
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (started, mut latencies_ms) = (Instant::now(), Vec::new());
    while started.elapsed() < span {
        ticks.tick().await;
        let sent = Instant::now();
        let answer = connection.exchange(request).await?;
        latencies_ms.push(sent.elapsed().as_secs_f64() * 1000.0);
        answer.expect(200)?;
    }
    Ok(latencies_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_once_all_are_there() {
        let whole = b"3\r\nnul\r\n1\r\nl\r\n0\r\n\r\n";
        assert_eq!(join_chunks(whole).unwrap().unwrap(), b"null");
        for cut in 0..whole.len() {
            assert!(join_chunks(&whole[..cut]).unwrap().is_none(), "{cut}");
        }
        assert!(join_chunks(b"x\r\n").is_err());
    }
}
