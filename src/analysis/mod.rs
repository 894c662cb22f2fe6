//! The answers: pure functions of a [`Snapshot`](crate::model::snapshot::Snapshot).
//!
//! What the screen shows and what `-o json` prints is computed here and nowhere else. Rules of Istio carry the place in
//! its source from which they come.

pub mod answers;
pub mod attachment;
pub mod bypass;
pub mod chains;
pub mod cidr;
pub mod comparison;
pub mod connection;
pub mod control_plane;
pub mod diff;
pub mod era;
pub mod explain;
pub mod findings;
pub mod headline;
pub mod health;
pub mod logs;
pub mod lookup;
pub mod mtls;
pub mod naming;
pub mod near_miss;
pub mod order;
pub mod outage;
pub mod outlook;
pub mod placement;
pub mod protocol;
pub mod removal;
pub mod requests;
pub mod resources;
pub mod settings;
pub mod sync;
pub mod targets;
pub mod timeline;
pub mod what_if;
