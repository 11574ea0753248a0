//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

use super::ListenerLimits;

/// Counts open connections.
#[derive(Clone, Debug)]
pub struct Caps(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: usize,
    per_address: usize,
    proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are too many in all.
    Total,
    /// There are too many of this address.
    Address,
}

impl Refusal {
    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

/// One admitted connection; gives its place back when dropped.
#[derive(Debug)]
pub struct Place {
    caps: Caps,
    bucket: Option<IpAddr>,
}

impl Caps {
    /// Nobody is connected.
    pub fn new(limits: &ListenerLimits) -> Self {
        Self(Arc::new(Inner {
            total: limits.connections,
            per_address: limits.connections_per_address,
            proxies: limits.proxies.clone(),
            open: Mutex::default(),
        }))
    }

    /// A place for a connection from this address, unless there are too many.
    pub fn admit(&self, address: IpAddr) -> Result<Place, Refusal> {
        let bucket = (!self.0.proxies.iter().any(|network| network.contains(&address))).then(|| bucket(address));
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.0.total {
            return Err(Refusal::Total);
        }
        if let Some(bucket) = bucket {
            let of_address = open.by_address.entry(bucket).or_default();
            if *of_address >= self.0.per_address {
                return Err(Refusal::Address);
            }
            *of_address += 1;
        }
        open.total += 1;
        Ok(Place { caps: self.clone(), bucket })
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        if let Some(bucket) = self.bucket
            && let Some(of_address) = open.by_address.get_mut(&bucket)
        {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                open.by_address.remove(&bucket);
            }
        }
    }
}

/// One household or server has a /64 of IPv6 (RFC 6177), so that is what counts as an address.
fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(connections: usize, connections_per_address: usize) -> Caps {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Caps::new(&ListenerLimits { connections, connections_per_address, proxies, ..ListenerLimits::default() })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Proves: S-220, A-141
    #[test]
    fn one_address_cannot_take_all_places() {
        let caps = caps(3, 2);
        let _first = caps.admit(address("192.0.2.1")).unwrap();
        let second = caps.admit(address("::ffff:192.0.2.1")).unwrap();
        assert_eq!(caps.admit(address("192.0.2.1")).unwrap_err(), Refusal::Address);
        let _other = caps.admit(address("192.0.2.2")).unwrap();
        assert_eq!(caps.admit(address("192.0.2.3")).unwrap_err(), Refusal::Total);
        drop(second);
        assert!(caps.admit(address("192.0.2.1")).is_ok());
    }

    /// Proves: S-220
    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let caps = caps(9, 1);
        let _first = caps.admit(address("2001:db8::1")).unwrap();
        assert_eq!(caps.admit(address("2001:db8::ffff:1")).unwrap_err(), Refusal::Address);
        assert!(caps.admit(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn a_trusted_proxy_is_many_clients() {
        let caps = caps(3, 1);
        let places: Vec<Place> = (0..3).map(|_| caps.admit(address("10.1.2.3")).unwrap()).collect();
        assert_eq!(caps.admit(address("10.1.2.3")).unwrap_err(), Refusal::Total);
        drop(places);
        assert_eq!(caps.open(), 0);
        assert!(caps.0.open.lock().unwrap().by_address.is_empty());
    }
}
