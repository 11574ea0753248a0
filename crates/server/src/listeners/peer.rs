//! Who is at the other end of the connection.

pub use doorward_web::edge::PeerAddress;
