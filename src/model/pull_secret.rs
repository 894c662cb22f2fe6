//! The Secret that a module is pulled with, by its metadata alone.

/// The type that istiod takes (`pilot/pkg/credentials/kube/secrets.go: GetDockerCredential`).
pub const PULL_SECRET_TYPE: &str = "kubernetes.io/dockerconfigjson";

/// What is known of it. There is nothing here that could hold its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullSecret {
    /// It is being looked for.
    Awaited,
    /// It is in the plugin's namespace, and of the type that istiod takes.
    Good,
    /// It is there, and of another type.
    OtherType,
    /// It is not there, and nowhere else that may be looked at.
    Missing,
    /// It is not there, and Secrets of its name are in these namespaces.
    Elsewhere(Vec<String>),
    /// It could not be looked for: why, as one clause.
    Unread(String),
}
