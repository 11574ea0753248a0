//! Listeners: several addresses, one service, bounded connections, TLS, graceful drain.

mod accept;
pub mod caps;
mod connection;
mod head;
pub mod tls;
mod tracked;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ipnet::IpNet;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::caps::Caps;
use self::connection::Protocols;
use self::tls::TlsFiles;
use crate::shutdown::Shutdown;

mod peer;
pub use self::peer::PeerAddress;

/// How long and how many.
#[derive(Clone, Debug)]
pub struct ListenerLimits {
    /// Most connections in all.
    pub connections: usize,
    /// Most connections of one address (IPv6: one /64).
    pub connections_per_address: usize,
    /// Networks that do not count as one address, because many clients come through them.
    pub proxies: Vec<IpNet>,
    /// From the first byte of a request until its headers are complete; for the first request, from the beginning.
    pub header_timeout: Duration,
    /// How long a connection may be without a request or a byte of an answer; in HTTP/1.1, without the first byte of the
    /// next request.
    pub idle_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long requests under way may take to finish once the process is to end.
    pub drain_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 512,
            proxies: Vec::new(),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Sockets that listen and do not accept yet.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
}

impl Listeners {
    /// Listens on each address. A machine without IPv6 may miss `::1` as long as another address works.
    pub async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(addresses.len());
        let mut missing = None;
        for &address in addresses {
            match TcpListener::bind(address).await {
                Ok(socket) => sockets.push(socket),
                Err(source) if is_missing_loopback(address, &source) => missing = Some(BindError { address, source }),
                Err(source) => return Err(BindError { address, source }),
            }
        }
        match missing {
            Some(error) if sockets.is_empty() => Err(error),
            Some(error) => {
                tracing::info!(address = %error.address, "this machine has no IPv6 loopback address; going on without it");
                Ok(Self { sockets })
            }
            None => Ok(Self { sockets }),
        }
    }

    /// Where the sockets listen really (a port 0 has become one).
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Serves until `shutdown` drains, then until the last request is answered or the drain timeout is over.
    /// Returns how many connections had to be cut.
    pub async fn serve(
        self,
        router: Router,
        tls: Option<Arc<TlsFiles>>,
        limits: ListenerLimits,
        shutdown: Shutdown,
    ) -> usize {
        let caps = Caps::new(&limits);
        let protocols = Protocols::new();
        let drain_timeout = limits.drain_timeout;
        let shared = Arc::new(accept::Shared { router, tls, limits, protocols, caps, shutdown: shutdown.clone() });
        let mut loops: JoinSet<JoinSet<()>> =
            self.sockets.into_iter().map(|socket| accept::accept_loop(socket, Arc::clone(&shared))).collect();
        let mut connections = Vec::new();
        while let Some(ended) = loops.join_next().await {
            match ended {
                Ok(open) => connections.push(open),
                Err(error) => tracing::error!(%error, "an accept loop ended"),
            }
        }
        let drained = async {
            for open in &mut connections {
                while open.join_next().await.is_some() {}
            }
        };
        tokio::select! {
            () = drained => 0,
            () = tokio::time::sleep(drain_timeout) => connections.iter().map(JoinSet::len).sum(),
            () = shutdown.ended() => connections.iter().map(JoinSet::len).sum(),
        }
    }
}

fn is_missing_loopback(address: SocketAddr, error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let missing = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT].map(Errno::raw_os_error);
    address.is_ipv6() && address.ip().is_loopback() && error.raw_os_error().is_some_and(|code| missing.contains(&code))
}

#[cfg(test)]
mod tests;
