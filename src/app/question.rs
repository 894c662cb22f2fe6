//! What screens ask of `analysis`. Answers are computed away from the task that draws.

use std::sync::Arc;

use crate::analysis::answers::{
    self, ChainsAnswer, ChainsFilter, ConnectionAnswer, EffectiveMtlsAnswer, OrderAnswer, PluginsAnswer, WhyAnswer, WorkloadsAnswer,
};
use crate::analysis::connection::Asked;
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::snapshot::Snapshot;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The plugins that a namespace sees; None is all.
    Plugins(Option<String>),
    /// The workloads, and whether a plugin applies to each.
    Workloads(PluginId),
    /// The chains of a proxy.
    Chains(ProxyId),
    /// Why a plugin stands where it does in a proxy.
    Why(PluginId, ProxyId),
    /// The mutual TLS of a workload.
    Mtls(WorkloadId),
    /// Which chain of a proxy takes a connection.
    Connection(ProxyId, Asked),
    /// In which order plugins run in a proxy.
    Order(ProxyId),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// To [`Question::Plugins`].
    Plugins(Arc<PluginsAnswer>),
    /// To [`Question::Workloads`].
    Workloads(Arc<WorkloadsAnswer>),
    /// To [`Question::Chains`].
    Chains(Arc<ChainsAnswer>),
    /// To [`Question::Why`].
    Why(Arc<WhyAnswer>),
    /// To [`Question::Mtls`].
    Mtls(Arc<EffectiveMtlsAnswer>),
    /// To [`Question::Connection`].
    Connection(Arc<ConnectionAnswer>),
    /// To [`Question::Order`].
    Order(Arc<OrderAnswer>),
}

impl Question {
    /// Answers it.
    pub fn answer(&self, snapshot: &Snapshot) -> Answered {
        match self {
            Self::Plugins(namespace) => {
                let mut answer = answers::plugins(snapshot, namespace.as_deref());
                // What is in trouble is looked for first.
                answer.plugins.sort_by(|a, b| (a.rollup, &a.id).cmp(&(b.rollup, &b.id)));
                Answered::Plugins(Arc::new(answer))
            }
            Self::Workloads(plugin) => Answered::Workloads(Arc::new(answers::workloads(snapshot, Some(plugin), None))),
            Self::Chains(proxy) => {
                Answered::Chains(Arc::new(answers::chains(snapshot, std::slice::from_ref(proxy), &ChainsFilter::default())))
            }
            Self::Order(proxy) => Answered::Order(Arc::new(answers::order(snapshot, std::slice::from_ref(proxy)))),
            Self::Why(plugin, proxy) => Answered::Why(Arc::new(answers::why(snapshot, plugin, Some(std::slice::from_ref(proxy))))),
            Self::Mtls(id) => {
                let workload = snapshot.workloads.iter().find(|workload| workload.id == *id);
                let pods = workload.map(|workload| workload.pods.as_slice()).unwrap_or_default();
                Answered::Mtls(Arc::new(answers::mtls(snapshot, pods)))
            }
            Self::Connection(proxy, asked) => {
                Answered::Connection(Arc::new(answers::connection(snapshot, std::slice::from_ref(proxy), asked)))
            }
        }
    }
}
