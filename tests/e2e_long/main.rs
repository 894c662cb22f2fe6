//! The slow ones of the tests against a real mesh, which see `tests/e2e.rs`: each takes a minute or more.
//!
//! `KUBECONFIG=… MESHSCOPE_LAB=1 cargo test --test e2e_long -- --ignored --test-threads=1`

#[path = "../e2e/world.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod world;

mod leftover;
