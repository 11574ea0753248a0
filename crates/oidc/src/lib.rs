//! The rules of OAuth 2, OpenID Connect and JOSE: parse, validate, decide.
//!
//! Nothing here waits, reads a clock, draws a random number by itself or knows HTTP, rows or a router: a rule takes
//! values and returns a value. Each check names the document and section that asks for it.

pub mod authorize;
pub mod claims_request;
pub mod client;
pub mod client_assertion;
pub mod client_authentication;
pub mod code;
pub mod device;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod id_token;
pub mod jose;
pub mod logout;
pub mod parameters;
pub mod pkce;
pub mod preferences;
pub mod prompt;
pub mod redirect_uri;
pub mod request_object;
pub mod resource;
pub mod response;
pub mod scope;
mod sha256;
pub mod subject;
pub mod token_exchange;
pub mod token_query;
pub mod token_request;
pub mod uri;
