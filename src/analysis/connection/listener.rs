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
        ListenerDirection::Inbound => match active.bound(connection, |listener| listener.direction != Some(Direction::Outbound)) {
            Some(bound) => Ok(bound),
            None => active.handed(
                "virtualInbound",
                "all that comes to the pod is redirected to it",
                &format!("what comes to port {port} of the pod"),
            ),
        },
        ListenerDirection::Gateway => match active.bound(connection, |_| true) {
            Some(bound) => Ok(bound),
            None => {
                let none = || NoListener::None(format!("No active listener of the gateway is for port {port}."));
                Err(active.hidden("").unwrap_or_else(none))
            }
        },
        ListenerDirection::Waypoint | ListenerDirection::Internal => {
            active.handed("main_internal", "what comes through a tunnel is handed to it", "what comes through a tunnel")
        }
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
            if let Some(listener) = at(&address.to_string()) {
                return Ok(Chosen { listener, why: format!("it is for {address} port {port}") });
            }
            at(if address.is_ipv4() { "0.0.0.0" } else { "::" }).map(any)
        }
        None if of_port.iter().any(|(_, ip)| !is_wildcard(ip)) => {
            let names: BTreeSet<&str> = of_port.iter().map(|(listener, _)| listener.name.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            let what = format!("It cannot be told which listener takes it: port {port} has {names}; say address=IP.");
            return Err(NoListener::Unknown(what));
        }
        None => of_port.first().map(|(listener, _)| any(listener)),
    };
    match (active.hidden("virtualOutbound"), handed_over) {
        (Some(hidden), _) => Err(hidden),
        (None, Some(found)) => Ok(found),
        (None, None) => {
            let why = format!("what leaves the pod is redirected to it, and no listener is for port {port}");
            active.handed("virtualOutbound", &why, &format!("what leaves the pod for port {port}"))
        }
    }
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

    /// The listener of a name, which gets what no other listener is for. `what` that is, as one clause.
    fn handed(&self, name: &str, why: &str, what: &str) -> Result<Chosen<'d>, NoListener> {
        if let Some(hidden) = self.hidden(name) {
            return Err(hidden);
        }
        let found = self.all().find(|listener| listener.name == name).map(|listener| Chosen { listener, why: why.to_owned() });
        found.ok_or_else(|| none(self.0, name, what))
    }

    /// Why another listener than the one of this name may be for the connection: one that could not be read, or whose address is not known.
    fn hidden(&self, name: &str) -> Option<NoListener> {
        let unplaced = |listener: &&Listener| {
            let mut addresses = std::iter::once(&listener.address).chain(&listener.additional_addresses);
            listener.name != name && addresses.any(|address| *address == ListenerAddress::Unknown)
        };
        let what = match self.all().find(unplaced) {
            _ if !self.0.has_all_listeners() => "not all listeners of the dump could be read".to_owned(),
            Some(listener) => format!("the address of listener {} is not known", listener.name),
            None => return None,
        };
        Some(NoListener::Unknown(format!("It is not known which listener takes it: {what}.")))
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
