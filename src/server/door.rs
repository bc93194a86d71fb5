//! Who may open a connection, and whose connections are not counted by address. Checked before TLS, so that a stranger
//! costs one accepted socket and nothing else.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::Networks;
use crate::metrics::Metrics;
use crate::metrics::connections::{Closed, Listener};

/// A listener's door. The rules can be replaced while the listener runs; connections that are open stay open.
pub struct Door {
    rules: ArcSwap<DoorRules>,
    metrics: Arc<Metrics>,
    listener: Listener,
}

/// Who may connect.
#[derive(Clone, Debug, Default)]
pub struct DoorRules {
    /// Trusted proxies: may always connect, and may hold any number of connections, because many clients stand behind
    /// each.
    pub trusted: Networks,
    /// The addresses that may connect; `None`: all.
    pub allowed: Option<Networks>,
}

/// Whose share a connection counts to: one IPv4 address, or the /64 of an IPv6 address, which one host can use as a
/// whole (RFC 4291, section 2.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Origin(IpAddr);

impl Origin {
    fn of(address: IpAddr) -> Self {
        /// The network part of an address of a host.
        const HOSTS_NETWORK: u128 = !(u64::MAX as u128);
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & HOSTS_NETWORK).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Who is at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    /// May connect, within the share of its origin.
    Client(Origin),
    /// May connect, as often as it likes.
    Trusted,
    /// May not connect.
    Unwelcome,
}

impl Door {
    /// The door of the listener for consumers.
    pub fn public(rules: DoorRules, metrics: Arc<Metrics>) -> Self {
        Self { rules: ArcSwap::from_pointee(rules), metrics, listener: Listener::Public }
    }

    /// The door of the listener for health and metrics. It is open to all addresses.
    pub fn admin(metrics: Arc<Metrics>) -> Self {
        Self { rules: ArcSwap::default(), metrics, listener: Listener::Admin }
    }

    /// Replaces the rules for all later connections.
    pub fn replace(&self, rules: DoorRules) {
        self.rules.store(Arc::new(rules));
    }

    /// Who comes from this address.
    pub(super) fn visitor(&self, address: IpAddr) -> Visitor {
        let rules = self.rules.load();
        if rules.trusted.contain(address) {
            return Visitor::Trusted;
        }
        match &rules.allowed {
            Some(allowed) if !allowed.contain(address) => Visitor::Unwelcome,
            _ => Visitor::Client(Origin::of(address)),
        }
    }

    /// Counts a connection that this program closed.
    pub(super) fn closed(&self, why: Closed) {
        self.metrics.connections().closed(self.listener, why);
    }

    pub(super) fn metrics(&self) -> (&Metrics, Listener) {
        (&self.metrics, self.listener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Networks {
        list.iter().map(|network| network.parse().unwrap()).collect()
    }

    fn door(trusted: &[&str], allowed: Option<&[&str]>) -> Door {
        let rules = DoorRules { trusted: networks(trusted), allowed: allowed.map(networks) };
        Door::public(rules, Arc::new(Metrics::new()))
    }

    fn visitor(door: &Door, address: &str) -> Visitor {
        door.visitor(address.parse().unwrap())
    }

    #[test]
    fn only_allowed_addresses_and_trusted_proxies_may_connect() {
        let door = door(&["10.0.0.0/8"], Some(&["203.0.113.0/24"]));
        assert_eq!(visitor(&door, "10.1.2.3"), Visitor::Trusted);
        assert_eq!(visitor(&door, "::ffff:10.1.2.3"), Visitor::Trusted);
        assert!(matches!(visitor(&door, "203.0.113.7"), Visitor::Client(_)));
        assert_eq!(visitor(&door, "198.51.100.1"), Visitor::Unwelcome);
        door.replace(DoorRules::default());
        assert!(matches!(visitor(&door, "198.51.100.1"), Visitor::Client(_)), "the rules were replaced");
    }

    #[test]
    fn an_origin_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
        let door = door(&[], None);
        let same = |one, other| visitor(&door, one) == visitor(&door, other);
        assert!(same("203.0.113.7", "::ffff:203.0.113.7"));
        assert!(!same("203.0.113.7", "203.0.113.8"));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    }
}
