//! The network of a client address: what limiters count, rows remember and events compare.
//!
//! An IPv4 address is a network of its own (/32). An IPv6 customer holds at least a /64, so all addresses of
//! a /64 are one network. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address: a client must
//! not get a second budget by reaching the same server over a dual-stack socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// One IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
    /// No client address is known (a command, a job). All of these share one budget.
    Unknown,
}

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let mut prefix = [0; 8];
                prefix.copy_from_slice(&v6.octets()[..8]);
                Self::V6(prefix)
            }
        }
    }

    /// The network of an address that may be missing.
    pub fn of_optional(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unknown, Self::of)
    }

    /// One spelling in bytes, for rows and MACs: a kind byte (4, 6 or 0), then the prefix.
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::V4(prefix) => [&[4], &prefix[..]].concat(),
            Self::V6(prefix) => [&[6], &prefix[..]].concat(),
            Self::Unknown => vec![0],
        }
    }
}

impl fmt::Display for Network {
    /// In CIDR notation, such as `192.0.2.1/32` or `2001:db8::/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(prefix) => write!(f, "{}/32", Ipv4Addr::from(prefix)),
            Self::V6(prefix) => {
                let mut octets = [0; 16];
                octets[..8].copy_from_slice(&prefix);
                write!(f, "{}/64", Ipv6Addr::from(octets))
            }
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn two_ipv4_addresses_are_two_networks() {
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("192.0.2.1").to_string(), "192.0.2.1/32");
    }

    #[test]
    fn the_addresses_of_one_ipv6_64_are_one_network() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn an_ipv4_mapped_address_has_no_budget_of_its_own() {
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn different_networks_have_different_bytes() {
        let all = [network("6.0.0.0"), network("::"), network("400::"), Network::Unknown, network("0.0.0.0")];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(one.to_bytes(), other.to_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn every_address_of_a_64_stays_in_it(prefix: u64, one: u64, other: u64) {
            // ::ffff:0:0/96 is IPv4 in IPv6 clothes and lies in the all-zero prefix.
            prop_assume!(prefix != 0);
            let address = |host: u64| IpAddr::from(Ipv6Addr::from((u128::from(prefix) << 64) | u128::from(host)));
            prop_assert_eq!(Network::of(address(one)), Network::of(address(other)));
        }
    }
}
