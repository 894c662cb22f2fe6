//! What screens ask of `analysis`. Answers are computed away from the task that draws.

use std::sync::Arc;

use super::screen::Supposition;
use crate::analysis::answers::{
    self, ChainsAnswer, ChainsFilter, ConnectionAnswer, DiffAnswer, EffectiveMtlsAnswer, FindingsAnswer, HealthAnswer, OrderAnswer,
    PluginsAnswer, SyncAnswer, TimelineAnswer, WhatIfAnswer, WhyAnswer, WorkloadsAnswer,
};
use crate::analysis::connection::Asked;
use crate::analysis::timeline::Gathered;
use crate::analysis::what_if;
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::istiod_view::IstiodViews;
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
    /// Why a plugin is where it is in a proxy.
    Why(PluginId, ProxyId),
    /// What would be.
    WhatIf(Supposition),
    /// The mutual TLS of a workload.
    Mtls(WorkloadId),
    /// Which chain of a proxy takes a connection.
    Connection(ProxyId, Asked),
    /// In which order plugins run in a proxy.
    Order(ProxyId),
    /// The timeline of a plugin's last change, with what the logs have of it.
    Timeline(PluginId, Arc<Gathered>),
    /// The sync status of the proxies of a namespace; None is all.
    Sync(Option<String>),
    /// What is wrong in what a namespace sees; None is all.
    Findings(Option<String>),
    /// What a proxy has against what istiod said that it would send.
    Diff(ProxyId, Arc<IstiodViews>),
    /// The health of a plugin in its proxies.
    Health(PluginId),
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
    /// To [`Question::WhatIf`]; an error says what of the objects cannot be used.
    WhatIf(Result<Arc<WhatIfAnswer>, String>),
    /// To [`Question::Mtls`].
    Mtls(Arc<EffectiveMtlsAnswer>),
    /// To [`Question::Connection`].
    Connection(Arc<ConnectionAnswer>),
    /// To [`Question::Order`].
    Order(Arc<OrderAnswer>),
    /// To [`Question::Timeline`].
    Timeline(Arc<TimelineAnswer>),
    /// To [`Question::Sync`].
    Sync(Arc<SyncAnswer>),
    /// To [`Question::Findings`].
    Findings(Arc<FindingsAnswer>),
    /// To [`Question::Diff`].
    Diff(Arc<DiffAnswer>),
    /// To [`Question::Health`].
    Health(Arc<HealthAnswer>),
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
            Self::Timeline(plugin, logs) => Answered::Timeline(Arc::new(answers::timeline(snapshot, plugin, logs))),
            Self::Sync(namespace) => {
                let wanted = |proxy: &ProxyId| namespace.as_ref().is_none_or(|namespace| proxy.namespace == *namespace);
                Answered::Sync(Arc::new(answers::sync(snapshot, wanted)))
            }
            Self::Findings(namespace) => Answered::Findings(Arc::new(answers::findings(snapshot, namespace.as_deref(), &[]))),
            Self::Diff(proxy, views) => Answered::Diff(Arc::new(answers::diff(snapshot, views, std::slice::from_ref(proxy)))),
            Self::Health(plugin) => Answered::Health(Arc::new(answers::health(snapshot, Some(plugin), None))),
            Self::Why(plugin, proxy) => Answered::Why(Arc::new(answers::why(snapshot, plugin, Some(std::slice::from_ref(proxy))))),
            Self::WhatIf(supposed) => Answered::WhatIf(what_if(snapshot, supposed).map(Arc::new)),
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

/// Answers for the plugin in question; where manifests bring plugins and it is none of them, for the first of those.
fn what_if(snapshot: &Snapshot, supposed: &Supposition) -> Result<WhatIfAnswer, String> {
    let Supposition { plugin, proxy, assumption, namespace, .. } = supposed;
    let assumed = what_if::apply(snapshot, &assumption.objects, namespace)?;
    let asked = plugin.iter().find(|plugin| assumed.plugins.is_empty() || assumed.plugins.contains(plugin));
    let plugin = asked.or(assumed.plugins.first()).or(plugin.as_ref()).ok_or("no plugin is selected, and the manifests hold none")?;
    Ok(answers::what_if(snapshot, &assumed, assumption.mode, plugin, proxy.as_ref().map(std::slice::from_ref)))
}
