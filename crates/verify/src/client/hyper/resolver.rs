//! Names to addresses.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// Asks another resolver, and takes from it for `localhost` only what is this machine (RFC 6761 section 6.3): a
/// connection without TLS to that name may never leave it, whatever a name server says.
#[derive(Clone, Debug)]
pub(super) struct HonestLocalhost<R>(pub(super) R);

impl<R> Service<Name> for HonestLocalhost<R>
where
    R: Service<Name, Error = io::Error>,
    R::Response: Iterator<Item = SocketAddr>,
    R::Future: Send + 'static,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_localhost = name.as_str().eq_ignore_ascii_case("localhost");
        let found = self.0.call(name);
        Box::pin(async move {
            let addresses: Vec<_> =
                found.await?.filter(|address| !is_localhost || address.ip().is_loopback()).collect();
            Ok(addresses.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use super::*;

    /// A name server that has one answer for everything.
    struct Lying;

    impl Service<Name> for Lying {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = Ready<Result<Self::Response, io::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            let addresses = ["192.0.2.1:0", "127.0.0.1:0", "[2001:db8::1]:0", "[::1]:0"];
            let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            ready(Ok(addresses.into_iter()))
        }
    }

    /// Proves: A-119
    #[tokio::test]
    async fn localhost_is_this_machine_whatever_a_name_server_says() {
        for (name, expected) in [
            ("localhost", &["127.0.0.1:0", "[::1]:0"][..]),
            ("LocalHost", &["127.0.0.1:0", "[::1]:0"]),
            ("id.example", &["192.0.2.1:0", "127.0.0.1:0", "[2001:db8::1]:0", "[::1]:0"]),
        ] {
            let found = HonestLocalhost(Lying).call(name.parse().unwrap()).await.unwrap();
            let found: Vec<_> = found.map(|address| address.to_string()).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
