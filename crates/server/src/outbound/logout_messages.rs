//! Telling applications that a session is over (OpenID Connect Back-Channel Logout 1.0 section 2.5).

use std::time::Duration;

use doorward_app::delivery::{DeliveryError, LogoutMessage};
use http::{HeaderValue, StatusCode, header};
use ipnet::IpNet;
use url::form_urlencoded::Serializer;

use super::authorities::Authorities;
use super::client::{Client, Limits, OutboundError, OutboundUrl};
use super::reach::Reach;

/// Well within the time that the worker holds a delivery.
const TIME: Duration = Duration::from_secs(10);
/// Nobody reads the answer.
const MOST_BYTES: usize = 16 * 1024;
const AT_ONCE: usize = 4;

/// Posts logout tokens on the public internet, and in networks that the operator names.
#[derive(Debug)]
pub struct LogoutMessages {
    client: Client,
}

impl LogoutMessages {
    /// With the networks that are reached besides the public internet, and whose certificates are believed.
    pub fn new(private_networks: Vec<IpNet>, authorities: Authorities) -> Result<Self, rustls::Error> {
        let limits = Limits { time: TIME, bytes: MOST_BYTES, at_once: AT_ONCE };
        Ok(Self { client: Client::reaching(Reach::Public(private_networks), authorities, limits)? })
    }

    /// Hands a message over.
    pub async fn send(&self, message: &LogoutMessage) -> Result<(), DeliveryError> {
        let failed = |is_permanent, reason: &str| DeliveryError { is_permanent, reason: reason.to_owned() };
        let url = OutboundUrl::parse_whole(&message.address)
            .map_err(|_| failed(true, "the address is no https URL without user and fragment"))?;
        let body = Serializer::new(String::new()).append_pair("logout_token", message.token.reveal()).finish();
        let form = (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answered = self.client.post(&url, &[form], body.into_bytes()).await;
        match answered {
            // Section 2.8: 200, and what frameworks make of an empty answer.
            Ok((StatusCode::OK | StatusCode::NO_CONTENT, _)) => Ok(()),
            Ok((status, _)) => {
                // Section 2.8: the application has understood and says no.
                Err(failed(status == StatusCode::BAD_REQUEST, &format!("the application answered {}", status.as_u16())))
            }
            Err(OutboundError::OutOfReach) => Err(failed(true, "the address leads into a network that is not public")),
            Err(error) => Err(failed(false, &error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use doorward_model::secret::SecretText;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn messages(networks: &[&str]) -> LogoutMessages {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        LogoutMessages::new(networks, Authorities::public()).unwrap()
    }

    fn message(address: String) -> LogoutMessage {
        LogoutMessage { address, token: SecretText::new("a.b-c_d".to_owned()) }
    }

    /// Proves: A-105
    #[tokio::test]
    async fn a_message_is_posted_and_its_answer_decides_whether_it_is_tried_again() {
        for (status, expected) in [
            ("200 OK", None),
            ("204 No Content", None),
            ("400 Bad Request", Some(true)),
            ("404 Not Found", Some(false)),
            ("500 Internal Server Error", Some(false)),
            ("302 Found\r\nlocation: http://127.0.0.1:1/", Some(false)),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://127.0.0.1:{}/ear?a=b", listener.local_addr().unwrap().port());
            let heard = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut heard = Vec::new();
                while !heard.ends_with(b"logout_token=a.b-c_d") {
                    heard.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
                String::from_utf8(heard).unwrap()
            });
            let sent = messages(&["127.0.0.0/8"]).send(&message(address)).await;
            assert_eq!(sent.err().map(|error| error.is_permanent), expected, "{status}");
            let heard = heard.await.unwrap().to_lowercase();
            assert!(heard.starts_with("post /ear?a=b http/1.1\r\n"), "{heard}");
            assert!(heard.contains("content-type: application/x-www-form-urlencoded\r\n"), "{heard}");
        }
    }

    /// Proves
    #[tokio::test]
    async fn nobody_inside_is_told_anything() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [format!("http://127.0.0.1:{port}/"), format!("http://localhost:{port}/"), "ftp://x/".to_owned()]
        {
            let refused = messages(&[]).send(&message(address.clone())).await.unwrap_err();
            assert!(refused.is_permanent, "{address}: {refused:?}");
        }
        let pending = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(pending.is_err(), "nobody came");
    }
}
