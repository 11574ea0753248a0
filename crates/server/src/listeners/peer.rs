//! Who is at the other end of the connection.

use std::net::SocketAddr;

/// The address at the other end, as the socket says; what a proxy says about it is judged by the web layer. Each
/// request carries it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);
