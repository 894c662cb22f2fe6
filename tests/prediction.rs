//! What istiod would send, held against what each proxy has: over every recording, and over recordings in which something was
//! changed, so that a mistake on either side would show.

mod support;

#[path = "prediction/causes.rs"]
mod causes;
#[path = "prediction/dump.rs"]
mod dump;
#[path = "prediction/envoy_filters.rs"]
mod envoy_filters;
#[path = "prediction/extremes.rs"]
mod extremes;
#[path = "prediction/gateways.rs"]
mod gateways;
#[path = "prediction/mesh.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod mesh;
#[path = "prediction/outbound.rs"]
mod outbound;
#[path = "prediction/plugins.rs"]
mod plugins;
#[path = "prediction/ports.rs"]
mod ports;
#[path = "prediction/recordings.rs"]
mod recordings;
#[path = "prediction/untold.rs"]
mod untold;
#[path = "prediction/would.rs"]
mod would;
