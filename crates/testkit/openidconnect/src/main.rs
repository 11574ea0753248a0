//! An application of the `openidconnect` crate, as its manual says, without a page: it prints where a person has to go,
//! reads where they came back to, and prints what it learnt, a line of JSON each.
//!
//! Its one argument is a JSON object: the issuer, and what is registered.

mod device;
mod http;
mod provider;
mod signed_in;

use std::error::Error;

use openidconnect::{IssuerUrl, OAuth2TokenResponse as _, TokenIntrospectionResponse as _};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::provider::{Application, Registered, discover};

#[derive(Deserialize)]
struct Asked {
    flow: Flow,
    issuer: IssuerUrl,
    registered: Registered,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Flow {
    /// Somebody signs in.
    SignIn,
    /// The application asks for itself.
    Itself,
    /// A device without a browser.
    Device,
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, run by a test")]
fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1).ok_or("what is asked is missing")?;
    let Asked { flow, issuer, registered } = serde_json::from_str(&asked)?;
    let (application, endpoints) = discover(&issuer, &registered)?;
    let learnt = match flow {
        Flow::SignIn => signed_in::run(&application, endpoints, &registered)?,
        Flow::Itself => ask_for_itself(&application, &registered)?,
        Flow::Device => device::run(&application, &registered)?,
    };
    println!("{learnt}");
    Ok(())
}

fn ask_for_itself(application: &Application, registered: &Registered) -> Result<Value, Box<dyn Error>> {
    let tokens = application.exchange_client_credentials()?.add_scopes(registered.scopes()).request(&http::send)?;
    let state = application.introspect(tokens.access_token()).request(&http::send)?;
    Ok(json!({ "active": state.active(), "sub": state.sub(), "aud": state.aud() }))
}
