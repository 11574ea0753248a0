//! Which addresses requests may go to that somebody else than the operator has named.
//!
//! Names are looked up once and the addresses they lead to are judged, so that no name leads anywhere its address would
//! not (rebinding). What is not reached: this machine, private and link-local networks, and whatever is no address of
//! one host on the public internet (the registries of IANA for special purposes, RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// How far requests go.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Everywhere: the operator has named the address.
    Anywhere,
    /// To the public internet, and to these networks.
    Public(Vec<IpNet>),
}

impl Reach {
    /// Whether a connection may be made to the address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Anywhere => true,
            Self::Public(_) => is_public(address) || self.is_own(address),
        }
    }

    /// Whether the address lies in a network that the operator has named.
    pub fn is_own(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Anywhere => false,
            Self::Public(also) => also.iter().any(|network| network.contains(&address)),
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = matches!(
        (first, second, third),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // What is given out to hosts: 2000::/3.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_special = match segments[0] {
        // Protocols, benchmarks, documentation and Teredo, which carries addresses of IPv4.
        0x2001 => segments[1] < 0x0200 || segments[1] == 0x0db8,
        // 6to4 carries addresses of IPv4 too.
        0x2002 => true,
        // Documentation (RFC 9637).
        0x3fff => segments[1] < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(reach: &Reach, text: &str) -> bool {
        reach.allows(text.parse().unwrap())
    }

    const INSIDE: &str = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 \
        198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 :: ::1 \
        ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 \
        100::1 2001::1 2001:db8::1 2001:1::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 \
        fec0::1 ff02::1";
    const OUTSIDE: &str = "1.1.1.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 128.0.0.1 169.253.1.1 172.15.255.255 \
        172.32.0.1 192.0.1.1 192.167.1.1 192.169.1.1 198.17.1.1 198.20.0.1 223.255.255.255 2001:200::1 \
        2001:4860:4860::8888 2a00::1 2606:4700::1111 ::ffff:1.1.1.1";

    /// Proves: A-157, V1.3.6
    #[test]
    fn what_is_not_the_public_internet_is_not_reached() {
        let public = Reach::Public(Vec::new());
        for inside in INSIDE.split_whitespace() {
            assert!(!allows(&public, inside), "{inside}");
            assert!(allows(&Reach::Anywhere, inside), "{inside}");
        }
        for outside in OUTSIDE.split_whitespace() {
            assert!(allows(&public, outside), "{outside}");
        }
    }

    #[test]
    fn networks_that_the_operator_names_are_reached_too() {
        let reach = Reach::Public(vec!["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        for (address, is_reached) in
            [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("10.2.0.1", false), ("::1", true), ("127.0.0.1", false)]
        {
            assert_eq!(allows(&reach, address), is_reached, "{address}");
            assert_eq!(reach.is_own(address.parse().unwrap()), is_reached, "{address}");
        }
        for outside in OUTSIDE.split_whitespace() {
            let outside = outside.parse().unwrap();
            assert!(!reach.is_own(outside) && !Reach::Anywhere.is_own(outside), "{outside}");
        }
    }
}
