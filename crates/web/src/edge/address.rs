//! Who is really asking: the peer, or what a configured proxy says.
//!
//! Only headers that a trusted peer sent are looked at, from the right: the first hop that is not itself a trusted
//! proxy is the client; whatever stands left of it is hearsay. What cannot be read is ignored, and so are
//! `X-Forwarded-For` and `Forwarded` that name different clients, because one of them came from the client.

use std::net::{IpAddr, SocketAddr};

use doorward_model::id::RequestId;
use http::{HeaderMap, HeaderName, header};

use crate::settings::EdgeSettings;

const MAX_FORWARDED_BYTES: usize = 2048;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's address, given the peer's.
pub(crate) fn client_address(peer: Option<SocketAddr>, headers: &HeaderMap, settings: &EdgeSettings) -> Option<IpAddr> {
    let peer = peer?.ip().to_canonical();
    if !settings.trusts(peer) {
        return Some(peer);
    }
    let listed = hops(headers, &X_FORWARDED_FOR, Some);
    let named = hops(headers, &header::FORWARDED, forwarded_for);
    let client = match (listed, named) {
        (Hops::Found(hops), Hops::Absent) | (Hops::Absent, Hops::Found(hops)) => nearest_stranger(&hops, settings),
        (Hops::Found(first), Hops::Found(second)) => {
            let client = nearest_stranger(&first, settings);
            client.filter(|_| client == nearest_stranger(&second, settings))
        }
        (Hops::Absent, Hops::Absent) | (Hops::Unreadable, _) | (_, Hops::Unreadable) => None,
    };
    Some(client.unwrap_or(peer))
}

/// A request id made by a trusted proxy: in our form, or 128 bits in lower-case hexadecimal as nginx makes them.
pub(crate) fn given_request_id(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    settings: &EdgeSettings,
) -> Option<RequestId> {
    if !settings.trusts(peer?.ip().to_canonical()) {
        return None;
    }
    let mut values = headers.get_all(X_REQUEST_ID).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    RequestId::parse(value).ok().or_else(|| from_hexadecimal(value))
}

fn from_hexadecimal(text: &str) -> Option<RequestId> {
    let is_plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_plain)?;
    Some(RequestId::from_uuid(bits.to_be_bytes()))
}

enum Hops {
    Absent,
    Unreadable,
    /// From the client to the nearest proxy; none where an entry is no address.
    Found(Vec<Option<IpAddr>>),
}

fn hops<'a>(headers: &'a HeaderMap, name: &HeaderName, address_of: impl Fn(&'a str) -> Option<&'a str>) -> Hops {
    let mut found = Vec::new();
    let mut bytes = 0;
    for value in headers.get_all(name) {
        bytes += value.len();
        let Ok(text) = value.to_str() else { return Hops::Unreadable };
        if bytes > MAX_FORWARDED_BYTES {
            return Hops::Unreadable;
        }
        found.extend(text.split(',').map(|hop| address_of(hop.trim()).and_then(parse_hop)));
    }
    if found.is_empty() { Hops::Absent } else { Hops::Found(found) }
}

/// The `for` parameter of one element (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<&str> {
    let mut parameters = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// An address, alone or with a port; IPv6 with or without brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse::<IpAddr>().ok();
    let address = alone.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

fn nearest_stranger(hops: &[Option<IpAddr>], settings: &EdgeSettings) -> Option<IpAddr> {
    let mut nearest = None;
    for hop in hops.iter().rev() {
        // An unreadable entry ends what can be believed.
        let Some(address) = *hop else { return nearest };
        nearest = Some(address);
        if !settings.trusts(address) {
            break;
        }
    }
    nearest
}

#[cfg(test)]
mod tests;
