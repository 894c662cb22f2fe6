//! How logs are named where many stand side by side: short, and told apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::WorkloadId;
use crate::model::logs::{LogOrigin, LogSource};

/// The pods of each workload that were seen: where there are several, a pod's own part of its name is shown.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pods: BTreeMap<Option<WorkloadId>, Vec<String>>,
    /// The namespaces of each name of a workload.
    namespaces: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Sees a log, so that it is told apart from others of its workload.
    pub fn meet(&mut self, origin: &LogOrigin) {
        if let Some(workload) = &origin.workload {
            let namespaces = self.namespaces.entry(workload.name.name.clone()).or_default();
            if !namespaces.contains(&workload.name.namespace) {
                namespaces.insert(workload.name.namespace.clone());
            }
        }
        let pods = self.pods.entry(origin.workload.clone()).or_default();
        if !pods.contains(&origin.pod.pod) {
            pods.push(origin.pod.pod.clone());
        }
    }

    /// `httpbin`, `foo/httpbin` where another namespace has one too, `httpbin-9d64m` where the workload has several pods; a pod's name
    /// where its workload is not known.
    pub fn of(&self, origin: &LogOrigin) -> String {
        let pod = &origin.pod.pod;
        match &origin.workload {
            Some(workload) => {
                let name = &workload.name.name;
                let twice = self.namespaces.get(name).is_some_and(|namespaces| namespaces.len() > 1);
                let name = if twice { format!("{}/{name}", workload.name.namespace) } else { name.clone() };
                let several = self.pods.get(&origin.workload).is_some_and(|pods| pods.len() > 1);
                let own = pod.rsplit_once('-').map_or(pod.as_str(), |(_, own)| own);
                if several { format!("{name}-{own}") } else { name }
            }
            None if pod.is_empty() && origin.source == LogSource::Istiod => "istiod".to_owned(),
            None if pod.is_empty() => "meshscope".to_owned(),
            None => pod.clone(),
        }
    }
}
