//! The binary against a real mesh, where it takes a minute and more: run by hand, as `e2e` is.
//!
//! `KUBECONFIG=… MESHSCOPE_LAB=1 cargo test --test e2e_long -- --ignored --test-threads=1`

#[path = "../e2e/broken.rs"]
mod broken;
#[path = "../e2e/terminal.rs"]
#[allow(dead_code, reason = "what e2e uses of it")]
mod terminal;
#[path = "../e2e/world.rs"]
#[allow(dead_code, reason = "what e2e uses of it")]
mod world;

mod incident_cut_off;
mod incident_fetch;
mod incident_istiod;
mod incident_outdated;
mod incident_registry;
mod leftover;
mod live_outage;
