//! One of the two servers with its clients and its people, and how it is measured.

use std::time::Duration;

use serde_json::Value;

use super::browser::{Browser, path_of};
use super::flows::{
    CALLBACK, Call, ClientCredentials, CodeFlows, Introspections, Judge, NONCE, Renewals, Tokens, authorize_path,
};
use super::tokens::Keys;
use crate::Outcome;
use crate::client::{Script, drive, get};
use crate::process::Server;

pub(super) const CONNECTIONS: usize = 64;
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A client's name and secret.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: String,
}

/// The clients that a side has registered, and the service they get tokens for.
pub(super) struct Registered {
    /// Gets tokens for itself.
    pub(super) machine: Credentials,
    /// Sends people to sign in.
    pub(super) shop: Credentials,
    /// A service that asks about tokens made out to it.
    pub(super) service: Credentials,
    /// Where tokens that are asked about are good.
    pub(super) asked_resource: &'static str,
    /// How many grants each connection renews in turn, and whether they are the same in every run.
    pub(super) grants_per_connection: usize,
    pub(super) keeps_grants: bool,
}

/// Where access tokens that are JWTs are good.
pub(super) const RESOURCE: &str = "https://api.example.com";

/// A server that answers, with what is asked of it.
pub(super) struct Side {
    pub(super) server: Server,
    /// What its discovery document says.
    offer: Value,
    keys: Keys,
    registered: Registered,
    /// The cookies of people who are signed in, as a header, one for each connection.
    people: Vec<String>,
    renewals: Vec<Renewals>,
}

/// What one measurement came to.
#[derive(Clone, Copy)]
pub(super) struct Figure {
    pub(super) per_second: f64,
    /// Processor time of the server for each, in microseconds.
    pub(super) cpu_us: f64,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(super) enum Work {
    ClientCredentials,
    Renewals,
    Introspections,
    CodeFlows,
}

impl Side {
    /// Reads what the server offers; nobody is signed in yet.
    pub(super) async fn new(server: Server, registered: Registered) -> Outcome<Self> {
        let mut browser = Browser::open(server.address).await?;
        let offer = browser.exchange(&get(DISCOVERY, "")).await?.expect(200)?.json()?;
        let set = browser.exchange(&get(path_of(text(&offer, "jwks_uri")?), "")).await?.expect(200)?.json()?;
        let keys = Keys::read(&set)?;
        Ok(Self { server, offer, keys, registered, people: Vec::new(), renewals: Vec::new() })
    }

    /// Lets a browser, in which somebody may be signed in, go through a sign-in to the application once.
    pub(super) async fn enter(&mut self, mut browser: Browser) -> Outcome<()> {
        let path = authorize_path(self.path("authorization_endpoint")?, &self.registered.shop.id, RESOURCE);
        browser.follow(&path, CALLBACK).await?;
        self.people.push(browser.cookie_header());
        Ok(())
    }

    pub(super) fn path(&self, endpoint: &str) -> Outcome<&str> {
        text(&self.offer, endpoint).map(path_of)
    }

    fn call(&self, endpoint: &str, client: &Credentials) -> Outcome<Call> {
        Ok(Call::new(self.path(endpoint)?, &client.id, &client.secret))
    }

    /// Measures one kind of work.
    pub(super) async fn measure(&mut self, work: Work, span: Duration) -> Outcome<Figure> {
        match work {
            Work::ClientCredentials => {
                let call = self.call("token_endpoint", &self.registered.machine)?;
                let scripts = vec![ClientCredentials::new(&call, RESOURCE); CONNECTIONS];
                let (figure, scripts) = self.drive(scripts, span).await?;
                self.check_last(scripts.iter().map(|script| &script.judge), None)?;
                Ok(figure)
            }
            Work::Renewals => {
                if self.renewals.is_empty() || !self.registered.keeps_grants {
                    let call = self.call("token_endpoint", &self.registered.shop)?;
                    let grants = self.grants(RESOURCE, self.registered.grants_per_connection).await?;
                    self.renewals = grants.iter().map(|grants| Renewals::new(&call, grants)).collect();
                }
                let scripts = std::mem::take(&mut self.renewals);
                let (figure, scripts) = self.drive(scripts, span).await?;
                self.check_last(scripts.iter().map(|script| &script.judge), None)?;
                self.renewals = scripts;
                Ok(figure)
            }
            Work::Introspections => {
                let call = self.call("introspection_endpoint", &self.registered.service)?;
                let grants = self.grants(self.registered.asked_resource, 1).await?;
                let mut scripts = Vec::new();
                for tokens in grants.concat() {
                    let claims = self.keys.verify(&tokens.id)?;
                    scripts.push(Introspections::new(&call, &tokens.access, text(&claims, "sub")?));
                }
                Ok(self.drive(scripts, span).await?.0)
            }
            Work::CodeFlows => {
                let (figure, scripts) = self.drive(self.flows(RESOURCE)?, span).await?;
                self.check_last(scripts.iter().map(|script| &script.judge), Some(NONCE))?;
                // Two requests each.
                Ok(Figure { per_second: figure.per_second / 2.0, cpu_us: figure.cpu_us * 2.0 })
            }
        }
    }

    /// Runs scripts and counts the server's processor time.
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    pub(super) async fn drive<S: Script>(&self, scripts: Vec<S>, span: Duration) -> Outcome<(Figure, Vec<S>)> {
        let before = self.server.cpu_seconds()?;
        let (load, scripts) = drive(self.server.address, scripts, span).await?;
        let spent = self.server.cpu_seconds()? - before;
        let cpu_us = spent * 1e6 / load.latencies_ms.len() as f64;
        Ok((Figure { per_second: load.per_second, cpu_us }, scripts))
    }

    fn flows(&self, resource: &str) -> Outcome<Vec<CodeFlows>> {
        let call = self.call("token_endpoint", &self.registered.shop)?;
        let path = authorize_path(self.path("authorization_endpoint")?, &self.registered.shop.id, resource);
        let of = |cookies: &String| {
            let mut flows = CodeFlows::new(get(&path, cookies), &call);
            flows.judge.has_opaque = resource != RESOURCE;
            flows
        };
        Ok(self.people.iter().map(of).collect())
    }

    /// The tokens of so many flows of each person.
    pub(super) async fn grants(&self, resource: &str, count: usize) -> Outcome<Vec<Vec<Tokens>>> {
        let flows = self.flows(resource)?.into_iter().map(|flows| flows.keeping(count)).collect();
        let (_, flows) = drive(self.server.address, flows, Duration::MAX).await?;
        Ok(flows.into_iter().map(|flows| flows.kept).collect())
    }

    /// Verifies what each connection got last: signatures, and the nonce where there is one.
    fn check_last<'a>(&self, judges: impl Iterator<Item = &'a Judge>, nonce: Option<&str>) -> Outcome<()> {
        for Tokens { access, id, .. } in judges.map(|judge| &judge.last) {
            let claims = self.keys.verify(access)?;
            let audience = claims["aud"].to_string();
            if !audience.contains(RESOURCE) || claims["scope"].as_str().is_none_or(|scope| !scope.contains("orders")) {
                return Err(format!("not for the service: {claims}").into());
            }
            if id.is_empty() {
                continue;
            }
            let person = self.keys.verify(id)?;
            if person["sub"] != claims["sub"] || nonce.is_some_and(|nonce| person["nonce"] != nonce) {
                return Err(format!("about somebody else: {person}").into());
            }
        }
        Ok(())
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Outcome<&'a str> {
    object[name].as_str().ok_or_else(|| format!("no {name} in {object}").into())
}
