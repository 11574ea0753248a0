//! A bare handler in the same profile: what any server on these libraries can do at most.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;

use crate::Outcome;

/// Serves until killed.
pub(crate) fn serve(address: SocketAddr) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = Router::new().route("/", get(async || "hello"));
        let listener = tokio::net::TcpListener::bind(address).await?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}
