//! Whose logs a screen is of.

use crate::analysis::logs::{PluginWord, Severity, Typed};
use crate::model::ids::{PluginId, ProxyId, WorkloadId};

/// Whose logs they are: istiod's, and those of proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsOf {
    /// The plugin in question; the proxies are those that it applies to, unless a workload is named.
    pub plugin: Option<PluginId>,
    /// The workload.
    pub workload: Option<WorkloadId>,
    /// The proxy, where its workload is not known.
    pub proxy: Option<ProxyId>,
    /// Without any of these: the proxies of this namespace; None is all.
    pub namespace: Option<String>,
}

impl LogsOf {
    /// `httpbin`, `default/helloworld`, `default`.
    pub fn name(&self) -> String {
        let named = self.workload.as_ref().map(|workload| workload.name.name.clone());
        let named = named.or_else(|| self.proxy.as_ref().map(|proxy| proxy.pod.clone()));
        let named = named.or_else(|| self.plugin.as_ref().map(ToString::to_string));
        named.or_else(|| self.namespace.clone()).unwrap_or_else(|| "all namespaces".to_owned())
    }

    /// The filter at the beginning: what is about the plugin, but for what is only told to who looks for a fault.
    pub(super) fn first_filter(&self) -> Typed {
        let plugin = if self.plugin.is_some() { PluginWord::This } else { PluginWord::Any };
        Typed { plugin, level: Some(Severity::Info), ..Typed::default() }
    }
}
