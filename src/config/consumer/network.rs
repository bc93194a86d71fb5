//! Networks: the addresses of a consumer, and those of trusted proxies, whose `X-Forwarded-For` is read.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;

use crate::config::check::Context;
use crate::config::codes::{CONFIG_ADMITS, CONFIG_VALUE};
use crate::config::raw::Text;
use glassine_core::yaml::Spanned;

/// IPv4 and IPv6 networks. An IPv4-mapped IPv6 address counts as the IPv4 address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether there are no networks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These networks and the others.
    #[must_use]
    pub fn union(mut self, others: &Self) -> Self {
        self.0.extend_from_slice(&others.0);
        self
    }

    /// Whether the address is in one of the networks.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Checks `allow_from`.
pub(in crate::config) fn check_allowed(
    networks: &Spanned<Vec<Text>>,
    context: &mut Context<'_>,
) -> Option<Networks> {
    if networks.value.is_empty() {
        return context.refuse(
            CONFIG_VALUE,
            &networks.span,
            "this list is empty, so no address would be allowed",
            "name a network, or leave `allow_from` out to allow every address",
        );
    }
    let checked = check_networks(&networks.value, check_network, context)?;
    warn_of_extremes(&checked, &networks.span, context);
    Some(checked)
}

/// Networks from which nobody sends a request: "this" network, documentation, and multicast with what is above it (IANA's registries
/// of special addresses; RFC 5737, RFC 3849, RFC 9637).
const NOBODYS: [&str; 9] = [
    "0.0.0.0/8",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/128",
    "2001:db8::/32",
    "3fff::/20",
    "ff00::/8",
];

/// Warns if a list that should narrow a consumer's addresses admits everybody, or nobody.
fn warn_of_extremes(networks: &Networks, span: &Range<usize>, context: &mut Context<'_>) {
    if IpNet::aggregate(&networks.0).iter().any(|network| network.prefix_len() == 0) {
        context.warn(
            CONFIG_ADMITS,
            span,
            "this list contains all addresses of a kind, so it admits the whole internet",
            "name the networks that the consumer comes from, or leave `allow_from` out if everybody may connect",
        );
    }
    let nobodys = NOBODYS.map(|text| text.parse::<IpNet>().ok());
    let is_nobodys = |network: &IpNet| nobodys.iter().flatten().any(|it| it.contains(network));
    if networks.0.iter().all(is_nobodys) {
        context.warn(
            CONFIG_ADMITS,
            span,
            "nobody has an address in these networks, which are for examples or not for senders, so nobody is admitted",
            "name the networks that the consumer comes from",
        );
    }
}

/// Checks `trusted_proxies`.
pub(in crate::config) fn check_trusted(networks: &[Text], context: &mut Context<'_>) -> Option<Networks> {
    check_networks(networks, check_trusted_network, context)
}

fn check_networks(
    networks: &[Text],
    check: fn(&Text, &mut Context<'_>) -> Option<IpNet>,
    context: &mut Context<'_>,
) -> Option<Networks> {
    let checked: Vec<_> = networks.iter().map(|text| check(text, context)).collect();
    checked.into_iter().collect()
}

fn check_trusted_network(text: &Text, context: &mut Context<'_>) -> Option<IpNet> {
    let network = check_network(text, context)?;
    if network.prefix_len() > 0 {
        return Some(network);
    }
    context.refuse(
        CONFIG_VALUE,
        &text.span,
        "this network contains all addresses, so every client could claim any address",
        "name the addresses of the proxies in front of this one",
    )
}

fn check_network(text: &Text, context: &mut Context<'_>) -> Option<IpNet> {
    let address = text.value.parse::<IpAddr>().ok().map(IpNet::from);
    let Some(network) = address.or_else(|| text.value.parse().ok()) else {
        return refuse(&text.span, "this is neither an IP address nor a network", context);
    };
    if network.addr() != network.network() {
        return refuse(&text.span, "this network has address bits after its prefix", context);
    }
    let is_mapped = matches!(network.addr(), IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    if is_mapped {
        return refuse(
            &text.span,
            "this is an IPv4-mapped IPv6 network, which would match no address",
            context,
        );
    }
    Some(network)
}

fn refuse<T>(span: &Range<usize>, message: &str, context: &mut Context<'_>) -> Option<T> {
    let hint = "write it as in 203.0.113.0/24, 2001:db8::/32 or 203.0.113.7";
    context.refuse(CONFIG_VALUE, span, message, hint)
}
