//! An application of the `openidconnect` crate, as its manual says, without a page: it prints where a person has to go,
//! reads where they came back to, and prints what it learnt, a line of JSON each.
//!
//! Its one argument is a JSON object: the issuer, and what is registered.

mod device;
mod http;
mod provider;
mod registration;
mod signed_in;

use std::error::Error;

use openidconnect::{AccessToken, IssuerUrl, OAuth2TokenResponse as _, RedirectUrl, TokenIntrospectionResponse as _};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::provider::{Application, Provider, Registered, application, discover};

#[derive(Deserialize)]
struct Asked {
    issuer: IssuerUrl,
    #[serde(flatten)]
    flow: Flow,
}

#[derive(Deserialize)]
#[serde(tag = "flow", rename_all = "kebab-case")]
enum Flow {
    /// Somebody signs in.
    SignIn { registered: Registered },
    /// The application asks for itself.
    Itself { registered: Registered },
    /// A device without a browser.
    Device { registered: Registered },
    /// The application registers itself, and somebody signs in.
    Register { token: AccessToken, redirect_uri: RedirectUrl },
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, run by a test")]
fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1).ok_or("what is asked is missing")?;
    let Asked { issuer, flow } = serde_json::from_str(&asked)?;
    println!("{}", run(discover(&issuer)?, flow)?);
    Ok(())
}

fn run(provider: Provider, flow: Flow) -> Result<Value, Box<dyn Error>> {
    let sign_in = |provider: Provider, registered: &Registered| {
        let (application, endpoints) = application(provider, registered)?;
        signed_in::run(&application, endpoints, registered)
    };
    match flow {
        Flow::SignIn { registered } => sign_in(provider, &registered),
        Flow::Itself { registered } => ask_for_itself(&application(provider, &registered)?.0, &registered),
        Flow::Device { registered } => device::run(&application(provider, &registered)?.0, &registered),
        Flow::Register { token, redirect_uri } => {
            let registered = registration::register(&provider, token, redirect_uri)?;
            sign_in(provider, &registered)
        }
    }
}

fn ask_for_itself(application: &Application, registered: &Registered) -> Result<Value, Box<dyn Error>> {
    let tokens = application.exchange_client_credentials()?.add_scopes(registered.scopes()).request(&http::send)?;
    let state = application.introspect(tokens.access_token()).request(&http::send)?;
    Ok(json!({ "active": state.active(), "sub": state.sub(), "aud": state.aud() }))
}
