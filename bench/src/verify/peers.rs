//! The same service as people write it in Node and in Python.

use std::path::PathBuf;
use std::process::Stdio;

use super::AUDIENCE;
use crate::Outcome;
use crate::process::{Cores, Server, free_address};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// express with express-oauth2-jwt-bearer, which uses jose.
pub(super) fn serve_node(issuer: &str) -> Outcome<Server> {
    let address = free_address()?;
    let folder = folder("jose");
    let node = folder.join("node_modules/.bin/node");
    let program = if node.is_file() { node } else { PathBuf::from("node") };
    let arguments = [
        folder.join("peer.mjs").display().to_string(),
        address.port().to_string(),
        issuer.to_owned(),
        AUDIENCE.to_owned(),
    ];
    Server::start_refusing(&program, &arguments, address, Cores::First, "/whoami", Stdio::inherit())
}

/// The same in Python, one worker of uvicorn.
pub(super) fn serve_python(issuer: &str) -> Outcome<Server> {
    let address = free_address()?;
    let python = std::env::var("DOORWARD_BENCH_PYTHON").map_err(|_| "start it with `cargo xtask bench verify`")?;
    let arguments = [
        folder("pyjwt").join("peer.py").display().to_string(),
        address.port().to_string(),
        issuer.to_owned(),
        AUDIENCE.to_owned(),
    ];
    Server::start_refusing(&PathBuf::from(python), &arguments, address, Cores::First, "/whoami", Stdio::inherit())
}
