//! `cargo run --release -p resource-server -- --issuer URL --audience A --listen ADDR [--no-feed]`

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use doorward_verify::{Issuer, RevocationFeed, Verifier};
use tokio::net::TcpListener;

/// A service that takes access tokens.
#[derive(Debug, Parser)]
struct Arguments {
    /// Whose tokens are taken, such as <http://localhost:8080>.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// What this service is called in the tokens that are for it.
    #[arg(long)]
    audience: String,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// What clients know this service by; needed for tokens that are bound to a key.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// This service as a client of the issuer, to read what was revoked; not needed where the feed is public.
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// The file with its secret.
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    /// Logs why tokens are refused.
    #[arg(long)]
    verbose: bool,
    /// Takes tokens until they end, even when they were revoked.
    #[arg(long)]
    no_feed: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let level = if arguments.verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    tracing_subscriber::fmt().with_max_level(level).init();
    let mut issuer = Issuer::new(&arguments.issuer).audience(&arguments.audience);
    if !arguments.no_feed {
        issuer = issuer.follow(match (&arguments.client_id, &arguments.client_secret_file) {
            (Some(id), Some(file)) => RevocationFeed::with_secret(id, std::fs::read_to_string(file)?.trim_end()),
            _ => RevocationFeed::public(),
        });
    }
    let mut verifier = Verifier::builder().issuer(issuer);
    if let Some(url) = &arguments.public_url {
        verifier = verifier.public_url(url);
    }
    let service = resource_server::service(verifier.build()?);
    let listener = TcpListener::bind(arguments.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, service).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

async fn stopped() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "no signal can be waited for");
        std::future::pending::<()>().await;
    }
}
