//! What an Envoy holds, as its admin `config_dump` says: listeners, filter chains, filters, ECDS.

mod chain;
mod dump;
mod ecds;
mod filter;
mod listener;
mod listener_filter;
mod matcher;
mod raw;

pub use chain::{ChainMatch, Destination, FilterChain, SourceType, Transport};
pub use dump::{ConfigDump, DumpView, Node, Section};
pub use ecds::{EcdsFilter, ExtensionConfig, RejectedUpdate};
pub use filter::{Filter, FilterSource, NameEra, PluginFilter};
pub use listener::{Direction, Listener, ListenerAddress, ListenerState};
pub use listener_filter::{ListenerFilter, ListenerFilterKind, PortPredicate};
pub use matcher::{Branch, Condition, Input, Matcher, NEVER, OnMatch, Way, way_text};
pub use raw::{RawJson, UNREAD};
