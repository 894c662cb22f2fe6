//! The answers of the commands and screens, as data. Their fields are JSON keys: added to, never renamed.

mod chain_match;
mod chains;
mod connection;
mod diff;
mod filters;
mod findings;
mod health;
mod logs;
mod mtls;
mod order;
mod plugins;
mod prediction;
mod sync;
mod taken;
mod timeline;
mod what_if;
mod why;
mod workloads;

pub use chain_match::ChainMatchAnswer;
pub use chains::{ChainAnswer, ChainsAnswer, ChainsFilter, ListenerAnswer, ProxyChains, chains};
pub use connection::{ConnectionAnswer, Loser, ProxyConnection, TakingListener, connection};
pub use diff::{DiffAnswer, DiffEntry, DiffLine, TypeDiff, diff};
pub use filters::FilterAnswer;
pub use findings::{CheckScope, FindingsAnswer, findings};
pub use health::{HealthAnswer, ModuleHealth, PluginHealth, ProxyHealth, RunDigest, SecretHealth, counted, health, pull_secret, summed};
pub use logs::{LogEntry, log_entry, timestamp as log_timestamp};
pub use mtls::{ClientAnswer, EffectiveMtlsAnswer, MtlsEntry, PolicyAnswer, PortAnswer, RefusedClient, ServiceClients, mtls};
pub use order::{
    ChainPlace, FoundFilter, FoundFilters, LeftOut, OrderAnswer, OrderEntry, OrderList, OrderedPlugin, RulerMark, RulerPlace, Stands, order,
};
pub use plugins::{PluginSummary, PluginsAnswer, plugins};
pub use prediction::PredictionAnswer;
pub use sync::{IstiodAnswer, PluginOnProxy, PluginSync, SyncAnswer, SyncEntry, TypeAnswer, sync};
pub use taken::{Taken, taken};
pub use timeline::{IstiodTimeline, Milliseconds, ProxyTimeline, StepAnswer, TimelineAnswer, TimelinePart, timeline};
pub use what_if::{WhatIfAnswer, WhatIfEntry, what_if};
pub use why::{MtlsAnswer, WhyAnswer, WhyEntry, WhyListener, concerned, why};
pub use workloads::{Part, WorkloadSummary, WorkloadsAnswer, workloads};

use std::fmt;

/// A range of counts over several proxies: `4`, or `2-4` where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// The smallest.
    pub min: usize,
    /// The largest.
    pub max: usize,
}

impl Counts {
    /// The range of some counts; None where there are none.
    pub fn of(counts: impl IntoIterator<Item = usize>) -> Option<Self> {
        counts.into_iter().fold(None, |range: Option<Self>, count| {
            let range = range.unwrap_or(Self { min: count, max: count });
            Some(Self { min: range.min.min(count), max: range.max.max(count) })
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}-{}", self.min, self.max) }
    }
}
