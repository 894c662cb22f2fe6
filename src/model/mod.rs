//! The nouns of a mesh: plain data that every later stage reads.
//!
//! Nothing here does I/O, reads a clock, or knows of Kubernetes client types or the screen. Values are made by
//! [`crate::ingest`] and judged by [`crate::analysis`].

pub mod capture;
pub mod descriptors;
pub mod envoy;
pub mod envoy_filter;
pub mod gateway;
pub mod ids;
pub mod inventory;
pub mod istiod_view;
pub mod kind;
pub mod labels;
pub mod log_details;
pub mod log_level;
pub mod logs;
pub mod mesh;
pub mod peer_authentication;
pub mod plugin;
pub mod policy;
pub mod printable;
pub mod pull_secret;
pub mod requests;
pub mod resources;
pub mod routing;
pub mod service;
pub mod sidecar;
pub mod snapshot;
pub mod sync;
pub mod text;
pub mod update;
pub mod version;
pub mod vitals;
pub mod warning;
pub mod workload;
