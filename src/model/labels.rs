//! Labels and label selectors.

use std::collections::BTreeMap;

/// An object's labels.
pub type Labels = BTreeMap<String, String>;

/// An Istio `WorkloadSelector` or a Service's `selector`: every pair must be among the labels.
/// Empty selects all that its scope reaches (`istio.io/api type/v1beta1/selector.proto`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// The pairs that must be there.
    pub match_labels: Labels,
}

impl Selector {
    /// Whether it names no label.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty()
    }

    /// Whether all its pairs are among `labels`.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// `app=httpbin,version=v1`.
    pub fn text(&self) -> String {
        let pairs: Vec<String> = self.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join(",")
    }
}
