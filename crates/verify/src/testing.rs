//! An issuer, a clock and an observer that do what a test says.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use tokio::sync::watch;

use crate::client::{Answer, ClientError, HttpClient, Limits};
use crate::{Clock, KeysEvent, Observer};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_700_000_000_000))
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What is answered at an address.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Document(u16, Vec<(&'static str, &'static str)>, String),
    /// The same after so many seconds of the runtime's clock.
    After(u64, Box<Self>),
    Fails(ClientError),
    Never,
    Panics,
}

impl Reply {
    pub(crate) fn json(document: &Value) -> Self {
        Self::Document(200, Vec::new(), document.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Document(status, vec![("location", "https://evil.example/keys")], String::new())
    }
}

/// An issuer whose answers can be held back.
#[derive(Debug)]
pub(crate) struct ScriptedClient {
    replies: Mutex<HashMap<String, Reply>>,
    asked: Mutex<Vec<String>>,
    open: watch::Sender<bool>,
}

impl ScriptedClient {
    pub(crate) fn new() -> Self {
        Self { replies: Mutex::default(), asked: Mutex::default(), open: watch::channel(true).0 }
    }

    pub(crate) fn answer(&self, address: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(address.to_owned(), reply);
    }

    /// Answers wait from now on.
    pub(crate) fn hold(&self) {
        self.open.send_replace(false);
    }

    /// All answers that waited go out.
    pub(crate) fn release(&self) {
        self.open.send_replace(true);
    }

    /// The addresses asked since the last look.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl HttpClient for ScriptedClient {
    fn send(&self, request: Request<Bytes>, _: Limits) -> Answer<'_> {
        let address = request.uri().to_string();
        self.asked.lock().unwrap().push(address.clone());
        let mut open = self.open.subscribe();
        Box::pin(async move {
            open.wait_for(|open| *open).await.unwrap();
            let mut reply = self.replies.lock().unwrap().get(&address).cloned().unwrap_or(Reply::status(404));
            while let Reply::After(seconds, then) = reply {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                reply = *then;
            }
            match reply {
                Reply::Document(status, headers, body) => {
                    let builder = Response::builder().status(status);
                    let builder =
                        headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
                    Ok(builder.body(Bytes::from(body)).unwrap())
                }
                Reply::Fails(error) => Err(error),
                Reply::After(..) | Reply::Never => std::future::pending().await,
                Reply::Panics => panic!("a client that panics"),
            }
        })
    }
}

/// Remembers what it was told.
#[derive(Debug, Default)]
pub(crate) struct Remembering(Mutex<Vec<KeysEvent>>);

impl Remembering {
    pub(crate) fn take(&self) -> Vec<KeysEvent> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Remembering {
    fn keys(&self, _: &str, event: KeysEvent) {
        self.0.lock().unwrap().push(event);
    }
}
