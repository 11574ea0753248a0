//! Taking connections in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::ListenerLimits;
use super::caps::{Caps, Place};
use super::connection::{Protocol, Protocols, Surroundings, drive};
use super::tls::TlsFiles;
use crate::shutdown::Shutdown;

/// How long to wait when the system has no sockets left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) tls: Option<Arc<TlsFiles>>,
    pub(super) limits: ListenerLimits,
    pub(super) protocols: Protocols,
    pub(super) caps: Caps,
    pub(super) shutdown: Shutdown,
}

/// Accepts until the process drains; returns the connections that are still open.
pub(super) async fn accept_loop(socket: TcpListener, shared: Arc<Shared>) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    let draining = shared.shutdown.draining();
    tokio::pin!(draining);
    loop {
        tokio::select! {
            () = &mut draining => return connections,
            // Ended connections are forgotten as they end, so the set stays as small as what is open.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => admit(&mut connections, stream, peer, &shared),
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    metrics::counter!("http_accept_errors_total").increment(1);
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }
}

fn admit(connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
    // A socket for both families shows IPv4 clients as mapped IPv6 addresses.
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    match shared.caps.admit(peer.ip()) {
        Ok(place) => {
            metrics::counter!("http_connections_total").increment(1);
            connections.spawn(converse(stream, peer, place, Arc::clone(shared)));
        }
        Err(refusal) => {
            metrics::counter!("http_connections_refused_total", "reason" => refusal.label()).increment(1);
            drop(stream);
        }
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, place: Place, shared: Arc<Shared>) {
    metrics::gauge!("http_connections").increment(1.0);
    // Answers are written whole, so waiting for more to send only adds time. A socket that refuses is already gone.
    let _ = stream.set_nodelay(true);
    let around = Surroundings {
        router: &shared.router,
        protocols: &shared.protocols,
        limits: &shared.limits,
        shutdown: &shared.shutdown,
    };
    match &shared.tls {
        None => drive(stream, peer, Protocol::Either, around).await,
        Some(tls) => match tokio::time::timeout(shared.limits.handshake_timeout, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => {
                let protocol = match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Protocol::Http2,
                    _ => Protocol::Http1,
                };
                drive(stream, peer, protocol, around).await;
            }
            Ok(Err(_)) => metrics::counter!("tls_handshakes_failed_total", "reason" => "error").increment(1),
            Err(_) => metrics::counter!("tls_handshakes_failed_total", "reason" => "timeout").increment(1),
        },
    }
    metrics::gauge!("http_connections").decrement(1.0);
    drop(place);
}

/// Errors of one connection that ended before we took it; the next one is not affected.
fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
