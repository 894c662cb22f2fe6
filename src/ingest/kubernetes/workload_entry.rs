//! WorkloadEntries: machines outside the cluster, which stand beside pods.

use super::fields::Fields;
use super::proxy_id;
use crate::model::labels::Labels;
use crate::model::workload::{Injection, Pod, ProxyContainer, ProxyKind};

pub(super) fn read(fields: &mut Fields<'_>) -> Pod {
    Pod {
        id: proxy_id(fields.name),
        // Selectors look at the entry's own label field, beside those of the object (`serviceregistry/serviceentry/conversion.go`).
        labels: {
            let mut labels = fields.labels("/metadata/labels");
            labels.extend(fields.labels("/spec/labels"));
            labels
        },
        owner: None,
        is_workload_entry: true,
        // Whether an agent runs there is not to be seen from the cluster; a mesh member has one.
        proxy: Some(ProxyContainer {
            container: "istio-proxy".to_owned(),
            kind: ProxyKind::Sidecar,
            admin_port: None,
            native: false,
            running: true,
        }),
        phase: "Running".to_owned(),
        ready: true,
        deleting: false,
        ips: fields.optional_text("/spec/address").into_iter().collect(),
        container_ports: Vec::new(),
        revision: None,
        injection: Injection::default(),
        features: Labels::new(),
    }
}
