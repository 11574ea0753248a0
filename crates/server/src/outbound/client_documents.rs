//! Documents that applications keep at addresses of their own: their keys, the redirect URIs of a sector.

use std::time::Duration;

use doorward_app::outbound::{ClientDocuments, DocumentAnswer, NoDocument};
use doorward_oidc::jose::MAX_SET_BYTES;
use http::StatusCode;
use ipnet::IpNet;

use super::authorities::Authorities;
use super::client::{Client, Limits, OutboundError, OutboundUrl};
use super::reach::Reach;

/// An application waits for the answer, and with it whoever signs in there.
const TIME: Duration = Duration::from_secs(5);
/// More would be a flood of registrations.
const AT_ONCE: usize = 16;

/// Reads documents on the public internet, and in networks that the operator names.
#[derive(Debug)]
pub struct FetchedDocuments {
    client: Client,
}

impl FetchedDocuments {
    /// With the networks that are reached besides the public internet, and whose certificates are believed.
    pub fn new(private_networks: Vec<IpNet>, authorities: Authorities) -> Result<Self, rustls::Error> {
        let limits = Limits { time: TIME, bytes: MAX_SET_BYTES, at_once: AT_ONCE };
        Ok(Self { client: Client::reaching(Reach::Public(private_networks), authorities, limits)? })
    }

    fn address(&self, text: &str) -> Result<OutboundUrl, &'static str> {
        let url = OutboundUrl::parse_whole(text).map_err(|_| "must be an https URL without user and fragment")?;
        if self.client.may_reach(&url) { Ok(url) } else { Err("leads into a network that is not public") }
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>, NoDocument> {
        let url = self.address(address).map_err(NoDocument::Refused)?;
        let (status, body) = self.client.get(&url, "", &[]).await.map_err(|error| match error {
            OutboundError::TooLate => NoDocument::TooLate,
            OutboundError::TooLong => NoDocument::TooLarge,
            OutboundError::OutOfReach => NoDocument::Refused("leads into a network that is not public"),
            other @ (OutboundError::Connect(_) | OutboundError::Exchange(_)) => NoDocument::Connection(Box::new(other)),
        })?;
        if status != StatusCode::OK {
            return Err(NoDocument::Status(status.as_u16()));
        }
        Ok(body.to_vec())
    }
}

impl ClientDocuments for FetchedDocuments {
    fn objection(&self, address: &str) -> Option<&'static str> {
        self.address(address).err()
    }

    fn fetch<'a>(&'a self, address: &'a str) -> DocumentAnswer<'a> {
        Box::pin(self.get(address))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn documents(networks: &[&str]) -> FetchedDocuments {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        FetchedDocuments::new(networks, Authorities::public()).unwrap()
    }

    /// Proves: A-157, V1.3.6
    #[test]
    fn addresses_inside_are_refused_before_anybody_is_asked() {
        let documents = documents(&[]);
        for refused in [
            "http://127.0.0.1/jwks",
            "https://127.0.0.1/jwks",
            "https://localhost/jwks",
            "http://localhost:8080/jwks",
            "https://[::1]/jwks",
            "https://[::ffff:127.0.0.1]/jwks",
            "https://2130706433/jwks",
            "https://0x7f.1/jwks",
            "https://017700000001/jwks",
            "https://10.0.0.1/jwks",
            "https://169.254.169.254/latest/meta-data",
            "https://user@shop.example/jwks",
            "https://shop.example/jwks#x",
            "http://shop.example/jwks",
            "file:///etc/passwd",
            "gopher://shop.example/",
            "nonsense",
        ] {
            assert!(documents.objection(refused).is_some(), "{refused}");
        }
        for fine in ["https://shop.example/jwks", "https://shop.example:8443/jwks.json?v=1", "https://1.1.1.1/"] {
            assert_eq!(documents.objection(fine), None, "{fine}");
        }
    }

    /// Proves
    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://localhost:{}/jwks", listener.local_addr().unwrap().port());
        let refused = documents(&["::1/128"]).get(&address).await;
        assert!(matches!(refused, Err(NoDocument::Refused(_) | NoDocument::Connection(_))), "{refused:?}");
        let pending = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(pending.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn the_whole_address_is_asked_for_in_a_network_that_the_operator_names() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://127.0.0.1:{}/a/jwks.json?v=1", listener.local_addr().unwrap().port());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                heard.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            String::from_utf8(heard).unwrap()
        });
        assert_eq!(documents(&["127.0.0.0/8"]).get(&address).await.unwrap(), b"{}");
        assert!(heard.await.unwrap().starts_with("GET /a/jwks.json?v=1 HTTP/1.1\r\n"));
    }
}
