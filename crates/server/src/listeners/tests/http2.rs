//! HTTP/2 as attackers speak it: frames written by hand, without TLS (prior knowledge, RFC 9113 section 3.3). Every
//! attack ends within bounds while somebody else is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;

use super::{ListenerLimits, REQUEST, Running, SOON, ask, connect, short, start};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `GET http://localhost/` in HPACK (RFC 7541): three entries of the static table and one literal.
const GET: &[u8] = b"\x82\x86\x84\x41\x09localhost";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const PROTOCOL_ERROR: u32 = 1;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// More than any server should put up with on one connection.
const FLOOD: usize = 20_000;

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The error code of a `RST_STREAM` or `GOAWAY`.
    fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn get_request(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, GET)
}

/// The `number`th stream of a client.
fn stream(number: usize) -> u32 {
    u32::try_from(number * 2 + 1).unwrap()
}

struct Client {
    reading: OwnedReadHalf,
    writing: OwnedWriteHalf,
}

impl Client {
    async fn connect(running: &Running) -> Self {
        let stream: TcpStream = connect(running.address).await;
        let (reading, mut writing) = stream.into_split();
        writing.write_all(PREFACE).await.unwrap();
        writing.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        Self { reading, writing }
    }

    /// Writes until everything is written or the server has closed; what it answers is kept meanwhile, so that nobody
    /// waits for the other.
    async fn attack(self, bytes: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Vec<Frame> {
        let Self { mut reading, mut writing } = self;
        let written = tokio::spawn(async move {
            for piece in bytes {
                if writing.write_all(&piece).await.is_err() {
                    return None;
                }
            }
            Some(writing)
        });
        let mut frames = Vec::new();
        let heard = async {
            while let Some(frame) = next(&mut reading).await {
                let is_last = frame.kind == GOAWAY;
                frames.push(frame);
                if is_last {
                    break;
                }
            }
        };
        tokio::time::timeout(SOON, heard).await.expect("the server gives the connection up");
        written.abort();
        frames
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.writing.write_all(bytes).await.unwrap();
    }

    /// The next frame about `stream`.
    async fn about(&mut self, stream: u32) -> Frame {
        let heard = async {
            loop {
                let frame = next(&mut self.reading).await.expect("the connection lives");
                assert_ne!(frame.kind, GOAWAY, "code {}", frame.code());
                if frame.stream == stream && frame.kind != WINDOW_UPDATE {
                    return frame;
                }
            }
        };
        tokio::time::timeout(SOON, heard).await.expect("the server answers")
    }
}

/// The next frame; none at the end of the connection.
async fn next(reading: &mut OwnedReadHalf) -> Option<Frame> {
    let mut head = [0; 9];
    reading.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    reading.read_exact(&mut payload).await.ok()?;
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some(Frame { kind: head[3], flags: head[4], stream, payload })
}

/// A server whose handler counts how often it is reached, and answers `/` when it is let.
struct Counted {
    running: Running,
    reached: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

async fn counted(limits: ListenerLimits, is_open: bool) -> Counted {
    let reached = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(if is_open { Semaphore::MAX_PERMITS } else { 0 }));
    let (counter, passed) = (Arc::clone(&reached), Arc::clone(&gate));
    let handler = move || {
        let (counter, passed) = (Arc::clone(&counter), Arc::clone(&passed));
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            let _permit = passed.acquire().await.unwrap();
            "answered"
        }
    };
    let router = Router::new().route("/", get(handler)).route("/other", get(async || "other"));
    Counted { running: start(router, None, limits).await, reached, gate }
}

async fn assert_others_are_served(running: &Running) {
    let request = REQUEST.replace("GET / ", "GET /other ");
    let answer = ask(&mut connect(running.address).await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("other"), "{answer}");
}

#[tokio::test]
async fn an_honest_client_is_answered() {
    let server = counted(ListenerLimits::default(), true).await;
    let mut client = Client::connect(&server.running).await;
    client.send(&get_request(1)).await;
    let (head, body) = (client.about(1).await, client.about(1).await);
    // The first entry of the static table with a status: 200.
    assert_eq!((head.kind, head.flags & END_HEADERS, head.payload[0]), (HEADERS, END_HEADERS, 0x88));
    assert_eq!((body.kind, body.payload.as_slice()), (DATA, b"answered".as_slice()));
}

/// CVE-2023-44487.
///
/// Proves: A-142
#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let server = counted(ListenerLimits::default(), false).await;
    let client = Client::connect(&server.running).await;
    let pair =
        |number| [get_request(stream(number)), frame(RST_STREAM, 0, stream(number), &8_u32.to_be_bytes())].concat();
    // A hundred pairs at once: the server looks at frames faster than it can begin requests.
    let waves = (0..FLOOD / 100).map(move |wave| (0..100).flat_map(|number| pair(wave * 100 + number)).collect());
    let frames = client.attack(waves).await;
    assert_eq!(frames.last().map(Frame::code), Some(ENHANCE_YOUR_CALM));
    let reached = server.reached.load(Ordering::SeqCst);
    assert!(reached < FLOOD / 10, "{reached} requests were begun");
    assert_others_are_served(&server.running).await;
}

/// CVE-2025-8671.
///
/// Proves: A-142
#[tokio::test]
async fn streams_that_make_the_server_reset_them_end_the_connection() {
    let server = counted(ListenerLimits::default(), false).await;
    let client = Client::connect(&server.running).await;
    // A window beyond 2^31 - 1 is an error of that stream (RFC 9113 section 6.9.1).
    let widest = i32::MAX.to_be_bytes();
    let pair = move |number| [get_request(stream(number)), frame(WINDOW_UPDATE, 0, stream(number), &widest)].concat();
    let frames = client.attack((0..FLOOD).map(pair)).await;
    assert_eq!(frames.last().map(Frame::code), Some(ENHANCE_YOUR_CALM));
    assert_others_are_served(&server.running).await;
}

/// Proves: A-142
#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    let server = counted(ListenerLimits::default(), true).await;
    // One byte of a literal that is never complete, or fields without end: what is kept stays small in both.
    for piece in [vec![0x40], b"\x00\x01x\x01y".repeat(1000)] {
        let client = Client::connect(&server.running).await;
        let begin = frame(HEADERS, END_STREAM, 1, GET);
        let flood = std::iter::once(begin).chain((0..FLOOD).map(move |_| frame(CONTINUATION, 0, 1, &piece)));
        let frames = client.attack(flood).await;
        let code = frames.last().filter(|frame| frame.kind == GOAWAY).map(Frame::code);
        assert!(matches!(code, Some(ENHANCE_YOUR_CALM | PROTOCOL_ERROR | 9)), "{code:?}");
        assert_others_are_served(&server.running).await;
    }
    assert_eq!(server.reached.load(Ordering::SeqCst), 0);
}

/// Proves
#[tokio::test]
async fn a_small_head_that_unpacks_to_a_large_one_is_refused() {
    let server = counted(ListenerLimits::default(), true).await;
    let mut client = Client::connect(&server.running).await;
    // A field of 4000 bytes is put into the dynamic table and then named so many times, with a byte each.
    let bomb = |times: usize| {
        let field = [b"\x40\x01x\x7f\xa1\x1e".as_slice(), &[b'v'; 4000]].concat();
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &[GET, &field, &vec![0xbe; times]].concat())
    };
    client.send(&bomb(12)).await;
    let answer = client.about(1).await;
    // The name of `:status` from the static table, and 431 in three bytes of Huffman code.
    assert_eq!((answer.kind, &answer.payload[..5]), (HEADERS, b"\x48\x83\x69\x90\xff".as_slice()));
    // That client goes on; one that wanted 40 MB does not.
    client.send(&get_request(3)).await;
    assert_eq!(client.about(3).await.payload[0], 0x88);
    assert_eq!(server.reached.load(Ordering::SeqCst), 1);
    let frames = Client::connect(&server.running).await.attack(std::iter::once(bomb(10_000))).await;
    assert_eq!(frames.last().map(Frame::code), Some(ENHANCE_YOUR_CALM));
    assert_eq!(server.reached.load(Ordering::SeqCst), 1);
    assert_others_are_served(&server.running).await;
}

/// Proves: A-142
#[tokio::test]
async fn streams_over_the_limit_are_refused_and_the_others_answered() {
    let server = counted(ListenerLimits::default(), false).await;
    let mut client = Client::connect(&server.running).await;
    let settings = next(&mut client.reading).await.unwrap();
    let limit = settings.payload.chunks(6).find(|setting| setting[..2] == [0, 3]).expect("a limit is announced");
    assert_eq!((settings.kind, &limit[2..]), (SETTINGS, 100_u32.to_be_bytes().as_slice()));
    let all: Vec<u8> = (0..130).flat_map(|number| get_request(stream(number))).collect();
    client.send(&all).await;
    for number in 100..130 {
        let refused = client.about(stream(number)).await;
        assert_eq!((refused.kind, refused.code()), (RST_STREAM, REFUSED_STREAM), "{number}");
    }
    assert_others_are_served(&server.running).await;
    server.gate.add_permits(1000);
    // The frames of the hundred streams come in any order; the last one open is answered too.
    let mut answered = 0;
    while answered < 100 {
        let frame = tokio::time::timeout(SOON, next(&mut client.reading)).await.unwrap().unwrap();
        answered += usize::from(frame.kind == DATA && frame.payload == b"answered");
    }
    assert_eq!(server.reached.load(Ordering::SeqCst), 100);
}

/// Proves: A-142
#[tokio::test]
async fn frames_that_ask_for_nothing_do_not_keep_a_connection_open() {
    let server = counted(short(), true).await;
    let mut attacks = tokio::task::JoinSet::new();
    for idle in [frame(SETTINGS, 0, 0, &[]), frame(PING, 0, 0, &[7; 8]), frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])] {
        for is_known in [false, true] {
            let mut client = Client::connect(&server.running).await;
            if is_known {
                client.send(&get_request(1)).await;
                assert_eq!(client.about(1).await.kind, HEADERS);
            }
            let wave = idle.repeat(100);
            attacks.spawn(client.attack(std::iter::repeat_with(move || wave.clone())));
        }
    }
    assert_others_are_served(&server.running).await;
    attacks.join_all().await;
    assert_others_are_served(&server.running).await;
}

/// A client that floods and reads nothing makes the server keep nothing.
///
/// Proves: A-142
#[tokio::test]
async fn a_flood_whose_answers_are_not_read_is_not_taken_in() {
    let server = counted(ListenerLimits { header_timeout: Duration::from_secs(2), ..short() }, true).await;
    let mut client = Client::connect(&server.running).await;
    let wave = frame(PING, 0, 0, &[7; 8]).repeat(1000);
    let mut taken = 0_usize;
    let flood = async {
        while client.writing.write_all(&wave).await.is_ok() {
            taken += wave.len();
        }
    };
    tokio::time::timeout(SOON, flood).await.expect("the server gives the connection up");
    // What the two sockets hold, not what was offered.
    assert!(taken < 64 << 20, "{taken}");
    assert_others_are_served(&server.running).await;
}

/// Proves: V4.2.3, V4.2.4
#[tokio::test]
async fn fields_that_http_2_does_not_have_are_errors_of_their_stream() {
    let server = counted(ListenerLimits::default(), true).await;
    for field in [
        b"\x00\x11transfer-encoding\x07chunked".as_slice(),
        b"\x00\x0aconnection\x05close",
        b"\x00\x0akeep-alive\x01x",
        b"\x00\x07upgrade\x03h2c",
        b"\x00\x01x\x03a\rb",
        b"\x00\x01x\x03a\nb",
        b"\x00\x01x\x03a\0b",
        b"\x00\x01X\x01a",
        b"\x00\x03:me\x01a",
    ] {
        let mut client = Client::connect(&server.running).await;
        client.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &[GET, field].concat())).await;
        let mut code = None;
        while let Some(frame) = tokio::time::timeout(SOON, next(&mut client.reading)).await.unwrap() {
            assert!(frame.kind != HEADERS && frame.kind != DATA, "{}", String::from_utf8_lossy(field));
            if matches!(frame.kind, RST_STREAM | GOAWAY) {
                code = Some(frame.code());
                break;
            }
        }
        assert_eq!(code, Some(PROTOCOL_ERROR), "{}", String::from_utf8_lossy(field));
    }
    assert_eq!(server.reached.load(Ordering::SeqCst), 0);
    assert_others_are_served(&server.running).await;
}
