//! Addresses and networks as settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};

const EXPECTED_ADDRESS: &str = "must be an address with a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
const EXPECTED_NETWORK: &str = "must be a network or an address, such as \"10.0.0.0/8\" or \"2001:db8::1\"";

/// This machine's own address in both families.
pub fn loopback_both(port: u16) -> Vec<SocketAddr> {
    vec![loopback_v4(port), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
}

/// This machine's own IPv4 address.
pub fn loopback_v4(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// One address, or a list that is not empty.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = match OneOrMany::deserialize(deserializer).map_err(|_| D::Error::custom(EXPECTED_ADDRESS))? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    if texts.is_empty() {
        return Err(D::Error::custom("must name at least one address"));
    }
    texts.iter().map(|text| text.trim().parse().map_err(|_| D::Error::custom(EXPECTED_ADDRESS))).collect()
}

/// One address.
pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    String::deserialize(deserializer)?.trim().parse().map_err(|_| D::Error::custom(EXPECTED_ADDRESS))
}

/// Networks; a single address is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| {
            let text = text.trim();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| D::Error::custom(EXPECTED_NETWORK))
        })
        .collect()
}
