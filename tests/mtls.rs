//! Effective mutual TLS: what became of each policy, the mode of each port, what clients send and whether it is taken.

#[path = "mtls/clients.rs"]
mod clients;
#[path = "mtls/cluster_patches.rs"]
mod cluster_patches;
#[path = "mtls/fates.rs"]
mod fates;
#[path = "mtls/hidden.rs"]
mod hidden;
#[path = "mtls/identities.rs"]
mod identities;
#[path = "mtls/mesh.rs"]
mod mesh;
#[path = "mtls/otherwise.rs"]
mod otherwise;
#[path = "mtls/past_proxy.rs"]
mod past_proxy;
#[path = "mtls/ports.rs"]
mod ports;
#[path = "mtls/routes.rs"]
mod routes;
#[path = "mtls/rules.rs"]
mod rules;
mod support;
#[path = "mtls/unused_rules.rs"]
mod unused_rules;
