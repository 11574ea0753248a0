//! Documents of an issuer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AGE, CACHE_CONTROL};
use http::{HeaderMap, Request, Response, StatusCode};

use super::{KeySet, KeysUnavailable, Metadata};
use crate::address;
use crate::client::{HttpClient, Limits};

/// Keys as they came.
pub(super) struct FetchedKeys {
    pub(super) keys: KeySet,
    /// How long the issuer says they are good.
    pub(super) max_age: Option<Duration>,
}

/// Asks for the keys.
pub(super) async fn keys(client: &dyn HttpClient, uri: &str, time: Duration) -> Result<FetchedKeys, KeysUnavailable> {
    let limits = Limits { body_bytes: KeySet::MAX_BYTES, time };
    let response = successful(get(client, uri, limits).await?)?;
    let keys = KeySet::parse(response.body())?;
    Ok(FetchedKeys { keys, max_age: max_age(response.headers()) })
}

/// Asks for the discovery document, at its two addresses.
pub(super) async fn metadata(
    client: &dyn HttpClient,
    issuer: &str,
    time: Duration,
) -> Result<Metadata, KeysUnavailable> {
    let [openid, oauth] = Metadata::addresses(issuer).ok_or(KeysUnavailable::Address)?;
    let limits = Limits { body_bytes: Metadata::MAX_BYTES, time };
    let mut response = get(client, &openid, limits).await?;
    if response.status() == StatusCode::NOT_FOUND {
        response = get(client, &oauth, limits).await?;
    }
    Metadata::parse(successful(response)?.body(), issuer)
}

/// The limits are the client's to keep; the time is kept here too, so that no client can make anybody wait for ever.
async fn get(client: &dyn HttpClient, uri: &str, limits: Limits) -> Result<Response<Bytes>, KeysUnavailable> {
    let uri = address::parse(uri).ok_or(KeysUnavailable::Address)?;
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static("application/json"));
    match tokio::time::timeout(limits.time, client.send(request, limits)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(KeysUnavailable::Timeout),
    }
}

/// A redirect is no success: the issuer said in its metadata where its keys are.
fn successful(response: Response<Bytes>) -> Result<Response<Bytes>, KeysUnavailable> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status => Err(KeysUnavailable::Status(status.as_u16())),
    }
}

/// How long an answer is fresh (RFC 9111 sections 4.2.1 and 5.2.2): `max-age` less the `Age` it arrived with, nothing
/// with `no-store` or `no-cache`. None when nothing is said.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut seconds: Option<u64> = None;
    for directive in headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()) {
        for directive in directive.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let said = match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => Some(0),
                "max-age" => value.trim().trim_matches('"').parse().ok(),
                _ => None,
            };
            seconds = seconds.min(said).or(seconds).or(said);
        }
    }
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()).and_then(|value| value.trim().parse().ok());
    seconds.map(|seconds| Duration::from_secs(seconds.saturating_sub(age.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_time_an_issuer_says_counts() {
        for (values, age, expected) in [
            (&[][..], None, None),
            (&["public, max-age=60"], None, Some(60)),
            (&["max-age=60", "max-age=30"], None, Some(30)),
            (&["max-age=60, no-cache"], None, Some(0)),
            (&["no-store"], Some("10"), Some(0)),
            (&["MAX-AGE=\"60\""], Some("10"), Some(50)),
            (&["max-age=60"], Some("100"), Some(0)),
            (&["max-age=60"], Some("-1"), Some(60)),
            (&["max-age=-1, public"], None, None),
            (&["max-age"], None, None),
            (&["max-age=99999999999999999999999"], None, None),
            (&["s-maxage=60, immutable"], None, None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            if let Some(age) = age {
                headers.insert(AGE, age.parse().unwrap());
            }
            assert_eq!(max_age(&headers), expected.map(Duration::from_secs), "{values:?} {age:?}");
        }
    }
}
