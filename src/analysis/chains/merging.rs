//! Which servers of a gateway share a port, and which are left out there (`pilot/pkg/model/gateway.go: mergeGateways`).

use std::collections::BTreeMap;

use super::servers::Opened;

/// Servers that are made together: of one port, protocol and address.
#[derive(Debug)]
pub(super) struct Group {
    /// The servers, in order.
    pub servers: Vec<Opened>,
    key: Key,
}

/// The port, the protocol as the first server writes it, and the address.
type Key = (u16, String, String);

/// Puts the servers together, in order, without those that cannot stand beside an earlier one.
pub(super) fn merged(servers: Vec<Opened>) -> Vec<Group> {
    let mut merging = Merging::default();
    servers.into_iter().for_each(|server| merging.take(server));
    merging.groups
}

#[derive(Default)]
struct Merging {
    groups: Vec<Group>,
    /// The plain servers' group on each port.
    plain: BTreeMap<u16, (Key, bool)>,
    /// On which address each host of a TLS server of a port was seen last.
    tls_hosts: BTreeMap<(u16, String), String>,
}

impl Merging {
    fn take(&mut self, server: Opened) {
        if server.tls_mode.is_some() {
            let known = |host: &String| self.tls_hosts.get(&(server.port, host.clone())) == Some(&server.bind);
            if server.hosts.iter().any(known) {
                return;
            }
            self.tls_hosts.extend(server.hosts.iter().map(|host| ((server.port, host.clone()), server.bind.clone())));
        }
        let key = (server.port, server.word.clone(), server.bind.clone());
        match self.plain.get(&server.port) {
            Some((plain, speaks_http)) if plain.2 == server.bind => {
                if *speaks_http && server.is_http() {
                    let plain = plain.clone();
                    self.add(plain, server);
                }
            }
            _ => {
                if server.tls_mode.is_none() || server.is_http() {
                    self.plain.insert(server.port, (key.clone(), server.is_http()));
                }
                self.add(key, server);
            }
        }
    }

    fn add(&mut self, key: Key, server: Opened) {
        match self.groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.servers.push(server),
            None => self.groups.push(Group { servers: vec![server], key }),
        }
    }
}
