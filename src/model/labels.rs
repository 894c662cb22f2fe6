//! Labels and label selectors, Istio's and Kubernetes' own.

use std::collections::BTreeMap;

/// An object's labels.
pub type Labels = BTreeMap<String, String>;

/// An Istio `WorkloadSelector` or a Service's `selector`: every pair must be among the labels.
/// Empty selects all that its scope reaches (`istio.io/api type/v1beta1/selector.proto`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// The pairs that must be there.
    pub match_labels: Labels,
    /// Whether it is of a wrong type, so that it may name more labels than these, and nothing follows from there being none.
    pub unread: bool,
}

impl Selector {
    /// One that names these labels.
    pub fn of(match_labels: Labels) -> Self {
        Self { match_labels, unread: false }
    }

    /// Whether it names no label.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && !self.unread
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

/// A Kubernetes `LabelSelector`, which can do more than equality
/// (`k8s.io/apimachinery pkg/apis/meta/v1/types.go: LabelSelector`). Empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub pairs: Selector,
    /// `matchExpressions`; all must hold.
    pub expressions: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether all its pairs and expressions hold for `labels`.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.pairs.matches(labels) && self.expressions.iter().all(|requirement| requirement.holds(labels))
    }
}

/// One item of `matchExpressions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// With what; empty for `Exists` and `DoesNotExist`.
    pub values: Vec<String>,
}

/// The operator of a [`Requirement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// One of the values.
    In,
    /// None of the values, or no such label.
    NotIn,
    /// There is such a label.
    Exists,
    /// There is none.
    DoesNotExist,
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}
