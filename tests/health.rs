//! The state of a plugin in a proxy, on meshes and proxies built for each rule.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

#[path = "health/mesh.rs"]
mod mesh;
#[path = "health/module.rs"]
mod module;
#[path = "health/of_dump.rs"]
mod of_dump;
#[path = "health/recordings.rs"]
mod recordings;
#[path = "health/sync.rs"]
mod sync;
#[path = "health/vitals.rs"]
mod vitals;
#[path = "health/waiting.rs"]
mod waiting;
