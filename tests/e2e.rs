//! The binary against a real mesh: sleep and httpbin in `default`, injected, with WasmPlugin `default/helloworld` on httpbin.
//!
//! `KUBECONFIG=… cargo test --test e2e -- --ignored --test-threads=1`, with `kubectl` and `openssl` on the PATH. Every test leaves the mesh as
//! it found it. Those that need the registry and the images of the lab run where `MESHSCOPE_LAB=1` says that it is one.

#[path = "e2e/attach.rs"]
mod attach;
#[path = "e2e/broken.rs"]
mod broken;
#[path = "e2e/cut.rs"]
mod cut;
#[path = "e2e/diff.rs"]
mod diff;
#[path = "e2e/fetch.rs"]
mod fetch;
#[path = "e2e/findings.rs"]
mod findings;
#[path = "e2e/following.rs"]
mod following;
#[path = "e2e/health.rs"]
mod health;
#[path = "e2e/incident_chains.rs"]
mod incident_chains;
#[path = "e2e/incident_digests.rs"]
mod incident_digests;
#[path = "e2e/incident_mtls.rs"]
mod incident_mtls;
#[path = "e2e/incident_objects.rs"]
mod incident_objects;
#[path = "e2e/incident_proven.rs"]
mod incident_proven;
#[path = "e2e/incident_readings.rs"]
mod incident_readings;
#[path = "e2e/incident_requests.rs"]
mod incident_requests;
#[path = "e2e/incident_trap.rs"]
mod incident_trap;
#[path = "e2e/level.rs"]
mod level;
#[path = "e2e/live_diff.rs"]
mod live_diff;
#[path = "e2e/live_ecds.rs"]
mod live_ecds;
#[path = "e2e/live_policy.rs"]
mod live_policy;
#[path = "e2e/live_rollout.rs"]
mod live_rollout;
#[path = "e2e/live_services.rs"]
mod live_services;
#[path = "e2e/live_vm.rs"]
mod live_vm;
#[path = "e2e/live_whatif.rs"]
mod live_whatif;
#[path = "e2e/logs.rs"]
mod logs;
#[path = "e2e/logs_faults.rs"]
mod logs_faults;
#[path = "e2e/mesh.rs"]
mod mesh;
#[path = "e2e/mtls.rs"]
mod mtls;
#[path = "e2e/near_misses.rs"]
mod near_misses;
#[path = "e2e/prediction.rs"]
mod prediction;
#[path = "e2e/quiet.rs"]
mod quiet;
#[path = "e2e/recording.rs"]
mod recording;
#[path = "e2e/rights.rs"]
mod rights;
#[path = "e2e/screen.rs"]
mod screen;
#[path = "e2e/sync.rs"]
mod sync;
#[path = "e2e/terminal.rs"]
mod terminal;
#[path = "e2e/timeline.rs"]
mod timeline;
#[path = "e2e/world.rs"]
mod world;
#[path = "e2e/would.rs"]
mod would;
