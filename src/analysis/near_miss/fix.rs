//! One way to bring a plugin to a workload, as words and as what it changes: so that it can be seen beforehand whom else it would reach.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::attachment;
use crate::ingest::workloads::{self, GATEWAY_NAME};
use crate::model::ids::{ProxyId, WorkloadId};
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

/// A way to bring a plugin to a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to do, as one clause.
    pub text: String,
    /// What that changes.
    pub edit: Edit,
}

/// What a [`Fix`] changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The plugin, which would be this.
    Plugin(Box<Plugin>),
    /// Labels of the workload's pods.
    Labels(Labels),
    /// Both.
    Both(Box<Plugin>, Labels),
    /// Something else than selectors, targets, namespaces and labels.
    Other,
}

impl Fix {
    pub(super) fn other(text: impl Into<String>) -> Self {
        Self { text: text.into(), edit: Edit::Other }
    }

    pub(super) fn labels(text: impl Into<String>, labels: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { text: text.into(), edit: Edit::Labels(labels.into_iter().collect()) }
    }

    /// A change of the plugin.
    pub(super) fn plugin(text: impl Into<String>, plugin: &Plugin, change: impl FnOnce(&mut Plugin)) -> Self {
        let mut changed = plugin.clone();
        change(&mut changed);
        Self::changed(text, changed)
    }

    /// The plugin as it would be.
    pub(super) fn changed(text: impl Into<String>, changed: Plugin) -> Self {
        Self { text: text.into(), edit: Edit::Plugin(Box::new(changed)) }
    }
}

/// The pods of a mesh by what reaches them: made once for many questions.
pub struct Neighbours<'o> {
    objects: &'o Inventory,
    index: OnceCell<Index<'o>>,
}

#[derive(Default)]
struct Index<'o> {
    by_label: HashMap<(&'o str, &'o str), Vec<&'o Pod>>,
    /// Those that a plugin with targetRefs can reach.
    targetable: Vec<&'o Pod>,
}

impl<'o> Neighbours<'o> {
    /// Those of a mesh. Nothing is looked at before it is asked for.
    pub fn of(objects: &'o Inventory) -> Self {
        Self { objects, index: OnceCell::new() }
    }

    fn index(&self) -> &Index<'o> {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            let alive = self.objects.pods.values().filter(|pod| !matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
            for pod in alive.map(Arc::as_ref) {
                pod.labels.iter().for_each(|(key, value)| index.by_label.entry((key, value)).or_default().push(pod));
                let targetable = pod.labels.contains_key(GATEWAY_NAME) || attachment::is_without_target_refs(pod, self.objects);
                index.targetable.extend(targetable.then_some(pod));
            }
            index
        })
    }

    /// The pods among which all are that a plugin can reach, or those of them that are in one namespace.
    pub(in crate::analysis) fn in_question<'n>(
        &'n self,
        plugin: &'n Plugin,
        within: Option<&'n str>,
    ) -> Box<dyn Iterator<Item = &'n Pod> + 'n> {
        let is_within = move |pod: &&Pod| within.is_none_or(|within| pod.id.namespace == within);
        let index: &'n Index<'n> = self.index();
        if !plugin.targets().is_empty() {
            return Box::new(index.targetable.iter().copied().filter(is_within));
        }
        let of_pair = |(key, value): (&'n String, &'n String)| -> &'n [&'n Pod] {
            index.by_label.get(&(key.as_str(), value.as_str())).map(Vec::as_slice).unwrap_or_default()
        };
        let selector = plugin.selector.as_ref().filter(|selector| !selector.is_empty());
        match selector.and_then(|selector| selector.match_labels.iter().map(of_pair).min_by_key(|pods| pods.len())) {
            Some(pods) => Box::new(pods.iter().copied().filter(is_within)),
            None => {
                let own = plugin.id.name.namespace.as_str();
                match within.or((own != self.objects.root_namespace()).then_some(own)) {
                    Some(namespace) => Box::new(self.of_namespace(namespace)),
                    None => Box::new(self.objects.pods.values().map(Arc::as_ref)),
                }
            }
        }
    }

    fn of_namespace<'n>(&'n self, namespace: &'n str) -> impl Iterator<Item = &'n Pod> {
        let from_first = self.objects.pods.range(ProxyId::new("", namespace)..);
        from_first.take_while(move |(id, _)| id.namespace == namespace).map(|(_, pod)| &**pod)
    }

    /// Whether a change of a plugin brings it to no other workload than this.
    pub(super) fn adds_only(&self, workload: &WorkloadId, changed: &Plugin, plugin: &Plugin) -> bool {
        let applies = |plugin: &Plugin, pod: &Pod| attachment::attach(plugin, pod, self.objects).attached;
        let is_other = |pod: &Pod| workloads::owner_of(self.objects, pod) != *workload;
        !self.in_question(changed, None).any(|pod| applies(changed, pod) && !applies(plugin, pod) && is_other(pod))
    }
}
