//! Which listener a connection comes to: the redirect of a sidecar's pod decides, and Envoy's hand-over
//! (`source/common/listener_manager/connection_handler_impl.cc: getBalancedHandlerByAddress`).

use core::net::IpAddr;
use std::collections::BTreeSet;

use super::assume::Assumed;
use crate::analysis::placement::ListenerDirection;
use crate::model::envoy::{ConfigDump, Direction, Listener, ListenerAddress, ListenerState};

/// A listener, and why it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'d> {
    /// The listener, in its active state: no other takes new connections.
    pub listener: &'d Listener,
    /// Why, as one clause.
    pub why: String,
}

/// Why there is none, as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoListener {
    /// Nothing takes the connection.
    None(String),
    /// It cannot be told which.
    Unknown(String),
}

/// The listener that takes a connection.
///
/// # Errors
/// Where there is none, or where it depends on what is not known.
pub fn choose<'d>(dump: &'d ConfigDump, connection: &Assumed) -> Result<Chosen<'d>, NoListener> {
    let port = connection.port;
    let active = Active(dump);
    match connection.direction {
        ListenerDirection::Outbound => outbound(&active, connection),
        ListenerDirection::Inbound => active
            .bound(connection, |listener| listener.direction != Some(Direction::Outbound))
            .or_else(|| active.named("virtualInbound", "all that comes to the pod is redirected to it"))
            .ok_or_else(|| none(dump, "virtualInbound", &format!("what comes to port {port} of the pod"))),
        ListenerDirection::Gateway => {
            let bound = active.bound(connection, |_| true);
            bound.ok_or_else(|| NoListener::None(format!("No active listener of the gateway is for port {port}.")))
        }
        ListenerDirection::Waypoint | ListenerDirection::Internal => active
            .named("main_internal", "what comes through a tunnel is handed to it")
            .ok_or_else(|| none(dump, "main_internal", "what comes through a tunnel")),
    }
}

/// `virtualOutbound` hands a connection over to the listener of its destination, and keeps it where there is none.
fn outbound<'d>(active: &Active<'d>, connection: &Assumed) -> Result<Chosen<'d>, NoListener> {
    let port = connection.port;
    let of_port: Vec<(&Listener, &str)> =
        active.sockets().filter(|(_, _, candidate)| *candidate == port).map(|(l, ip, _)| (l, ip)).collect();
    let at = |address: &str| of_port.iter().find(|(_, ip)| same(ip, address)).map(|(listener, _)| *listener);
    let any = |listener| Chosen { listener, why: format!("it is for port {port} of every address that has no listener of its own") };
    let handed_over = match connection.address {
        Some(address) => {
            let exact = at(&address.to_string()).map(|listener| Chosen { listener, why: format!("it is for {address} port {port}") });
            exact.or_else(|| at(if address.is_ipv4() { "0.0.0.0" } else { "::" }).map(any))
        }
        None if of_port.iter().any(|(_, ip)| !is_wildcard(ip)) => {
            let names: BTreeSet<&str> = of_port.iter().map(|(listener, _)| listener.name.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            let what = format!("It cannot be told which listener takes it: port {port} has {names}; say address=IP.");
            return Err(NoListener::Unknown(what));
        }
        None => of_port.first().map(|(listener, _)| any(listener)),
    };
    handed_over
        .or_else(|| {
            active.named("virtualOutbound", &format!("what leaves the pod is redirected to it, and no listener is for port {port}"))
        })
        .ok_or_else(|| none(active.0, "virtualOutbound", &format!("what leaves the pod for port {port}")))
}

/// The listeners that take new connections.
struct Active<'d>(&'d ConfigDump);

impl<'d> Active<'d> {
    fn all(&self) -> impl Iterator<Item = &'d Listener> {
        self.0.listeners.iter().filter(|listener| listener.state == ListenerState::Active)
    }

    /// Each with its addresses and ports.
    fn sockets(&self) -> impl Iterator<Item = (&'d Listener, &'d str, u16)> {
        self.all().flat_map(|listener| {
            let addresses = std::iter::once(&listener.address).chain(&listener.additional_addresses);
            addresses.filter_map(move |address| match address {
                ListenerAddress::Socket { ip, port } => Some((listener, ip.as_str(), *port)),
                ListenerAddress::Internal | ListenerAddress::Pipe(_) | ListenerAddress::Unknown => None,
            })
        })
    }

    fn named(&self, name: &str, why: &str) -> Option<Chosen<'d>> {
        self.all().find(|listener| listener.name == name).map(|listener| Chosen { listener, why: why.to_owned() })
    }

    /// The listener that binds the port itself, so that the connection comes to it without being handed over.
    fn bound(&self, connection: &Assumed, wanted: impl Fn(&Listener) -> bool) -> Option<Chosen<'d>> {
        let for_address = |ip: &str| is_wildcard(ip) || connection.address.is_none_or(|address| same(ip, &address.to_string()));
        let fits = |(listener, ip, port): &(&'d Listener, &str, u16)| {
            listener.binds_port && wanted(listener) && *port == connection.port && for_address(ip)
        };
        let why = format!("it listens on port {} itself", connection.port);
        self.sockets().find(fits).map(|(listener, ..)| Chosen { listener, why })
    }
}

fn none(dump: &ConfigDump, name: &str, what: &str) -> NoListener {
    let states: Vec<&str> =
        dump.listeners.iter().filter(|listener| listener.name == name).map(|listener| listener.state.as_str()).collect();
    let there = if states.is_empty() { "there is none".to_owned() } else { format!("it is {} only", states.join(", ")) };
    NoListener::None(format!("Nothing takes {what}: that is for an active listener {name}, and {there}."))
}

fn is_wildcard(ip: &str) -> bool {
    ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
}

fn same(ip: &str, other: &str) -> bool {
    ip.parse::<IpAddr>().is_ok_and(|ip| other.parse() == Ok(ip))
}
