//! The application on a real socket, for tests about bytes rather than requests.

use std::net::SocketAddr;
use std::time::Duration;

use doorward_server::listeners::{ListenerLimits, Listeners};
use doorward_server::shutdown::{Shutdown, ShutdownSource};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::world::World;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

/// The application behind the listener that `doorward serve` uses.
pub struct Served {
    address: SocketAddr,
    source: ShutdownSource,
    ended: JoinHandle<usize>,
}

impl World {
    /// Listens on a free port of this machine.
    pub async fn serve(&self, limits: ListenerLimits) -> Served {
        let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
        let address = listeners.addresses()[0];
        let (source, shutdown): (ShutdownSource, Shutdown) = ShutdownSource::new();
        let ended = tokio::spawn(listeners.serve(self.router(), None, limits, shutdown));
        Served { address, source, ended }
    }
}

impl Served {
    /// Sends these bytes on a connection of their own and returns everything until the server closes it. A server that
    /// keeps the connection open fails the test.
    pub async fn exchange(&self, request: &[u8]) -> String {
        #[expect(clippy::disallowed_methods, reason = "the test is the client")]
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has taken everything.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        // A reset shows as an error after whatever was read.
        let closed = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "not closed after {:?}", String::from_utf8_lossy(request));
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Ends in good order.
    pub async fn end(self) {
        self.source.drain();
        assert_eq!(self.ended.await.unwrap(), 0);
    }
}
