//! The running order of plugins among themselves, with the reason for each place
//! (`pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo, sortByPriority`, until 1.29 `WasmPluginsByListenerInfo`).
//!
//! HTTP and NETWORK plugins stand in lists of their own and are ordered each for itself; WasmPlugins and TrafficExtensions
//! (Lua ones too) interleave.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

use crate::analysis::era::Version;
use crate::ingest::plugin_name::TRANSLATED;
use crate::model::ids::PluginKind;
use crate::model::plugin::{Phase, Plugin};

/// Why one plugin runs before another: the first thing in which they differ, in the order in which istiod compares.
/// `before` is always what the earlier plugin has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "camelCase")]
pub enum Reason {
    /// The phases stand in a fixed order: AUTHN, AUTHZ, STATS, none.
    Phase {
        /// The earlier phase.
        before: Phase,
        /// The later phase.
        after: Phase,
    },
    /// Within a phase the higher priority runs first; None is lowest, below negative ones.
    Priority {
        /// The higher priority.
        before: Option<i64>,
        /// The lower priority.
        after: Option<i64>,
    },
    /// istiod takes the plugins of one namespace after the other.
    #[serde(rename_all = "camelCase")]
    Namespace {
        /// The namespace that comes first.
        before: String,
        /// What it is to the proxy.
        before_is: ServedFrom,
        /// The other one.
        after: String,
        /// What that one is to the proxy.
        after_is: ServedFrom,
    },
    /// The older runs first; None counts as the oldest.
    Age {
        /// When the older was created.
        before: Option<String>,
        /// When the younger was created.
        after: Option<String>,
    },
    /// Created in the same second: the compared names, byte by byte.
    Name {
        /// The smaller one.
        before: String,
        /// The greater one.
        after: String,
    },
}

/// What a plugin's namespace is to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ServedFrom {
    /// The proxy's own.
    Own,
    /// The mesh's root namespace.
    Root,
    /// That of a service which a waypoint serves.
    Service,
}

/// The plugins in the order in which they run on a proxy of `own_namespace`. They are taken to apply to it and to be of one type.
///
/// A waypoint's chains hold the plugins of one service each, so plugins of two service namespaces never meet in a chain.
pub fn running_order<'p>(
    plugins: impl IntoIterator<Item = &'p Plugin>,
    own_namespace: &str,
    root_namespace: &str,
    version: Version,
) -> Vec<&'p Plugin> {
    let mut found: Vec<&Plugin> = plugins.into_iter().collect();
    found.sort_by_cached_key(|plugin| Key::of(plugin, own_namespace, root_namespace, version));
    found
}

/// Why `before` runs before `after`, which [`running_order`] of the same arguments put in this order.
pub fn reason(before: &Plugin, after: &Plugin, own_namespace: &str, root_namespace: &str, version: Version) -> Reason {
    let key = |plugin| Key::of(plugin, own_namespace, root_namespace, version);
    let (first, second) = (key(before), key(after));
    if first.phase != second.phase {
        return Reason::Phase { before: before.phase.clone(), after: after.phase.clone() };
    }
    if first.priority != second.priority {
        return Reason::Priority { before: before.priority, after: after.priority };
    }
    if first.group != second.group {
        let is = |plugin| served_from(plugin, own_namespace, root_namespace);
        return Reason::Namespace {
            before: before.id.name.namespace.clone(),
            before_is: is(before),
            after: after.id.name.namespace.clone(),
            after_is: is(after),
        };
    }
    if first.created != second.created {
        return Reason::Age { before: before.created.clone(), after: after.created.clone() };
    }
    Reason::Name { before: first.name.into_owned(), after: second.name.into_owned() }
}

/// What istiod compares, the first field first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'p> {
    phase: &'p Phase,
    priority: Reverse<i64>,
    group: u8,
    /// `creationTimestamp` to the second, which is all that an API server keeps of it; Go's zero time, where absent, is the oldest.
    created: &'p str,
    name: Cow<'p, str>,
    namespace: &'p str,
}

impl<'p> Key<'p> {
    fn of(plugin: &'p Plugin, own_namespace: &str, root_namespace: &str, version: Version) -> Self {
        let created = plugin.created.as_deref().unwrap_or_default();
        let object = &plugin.id.name;
        let group = match served_from(plugin, own_namespace, root_namespace) {
            ServedFrom::Own => 1,
            ServedFrom::Root => {
                if version.puts_root_namespace_first() {
                    0
                } else {
                    2
                }
            }
            ServedFrom::Service => 3,
        };
        // `pilot/pkg/config/kube/extensions/translate.go: translateWasmPlugin` marks the name, and `~` sorts after every letter.
        let translated = plugin.id.kind == PluginKind::WasmPlugin && version.translates_wasm_plugins();
        let name = match (translated, version.compares_names_with_namespaces()) {
            (true, _) => Cow::Owned(format!("{}{TRANSLATED}", object.name)),
            (false, true) => Cow::Owned(format!("{}.{}", object.name, object.namespace)),
            (false, false) => Cow::Borrowed(object.name.as_str()),
        };
        Self {
            phase: &plugin.phase,
            priority: Reverse(plugin.priority.unwrap_or_else(|| version.unset_priority())),
            group,
            created: created.get(..19).unwrap_or(created),
            name,
            namespace: &object.namespace,
        }
    }
}

fn served_from(plugin: &Plugin, own_namespace: &str, root_namespace: &str) -> ServedFrom {
    match &plugin.id.name.namespace {
        namespace if namespace == own_namespace => ServedFrom::Own,
        namespace if namespace == root_namespace => ServedFrom::Root,
        _ => ServedFrom::Service,
    }
}

impl fmt::Display for ServedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "the proxy's own",
            Self::Root => "the root namespace",
            Self::Service => "a service's",
        })
    }
}

/// Why the later one stands after the earlier one: what is alike, and what differs.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase { before, after } => write!(f, "{} comes after {}", phase_words(after), phase_words(before)),
            Self::Priority { before, after: Some(after) } => {
                let before = before.map_or_else(|| "none".to_owned(), |before| before.to_string());
                write!(f, "same phase; priority {after} is lower than {before}")
            }
            Self::Priority { before, after: None } => {
                let before = before.map_or_else(|| "none".to_owned(), |before| before.to_string());
                write!(f, "same phase; no priority is the lowest, below {before}")
            }
            Self::Namespace { before, before_is, after, after_is } => {
                write!(f, "same phase and priority; namespace {after} ({after_is}) comes after {before} ({before_is})")
            }
            Self::Age { before, after } => {
                let text = |created: &Option<String>| created.clone().unwrap_or_else(|| "at no known time".to_owned());
                write!(f, "same phase, priority and namespace; younger, created {} after {}", text(after), text(before))
            }
            Self::Name { before, after } => {
                write!(f, "same phase, priority and namespace, created in the same second; by name {after} comes after {before}")
            }
        }
    }
}

/// A phase in a sentence.
pub fn phase_words(phase: &Phase) -> String {
    if *phase == Phase::Unspecified { "no phase".to_owned() } else { format!("phase {}", phase.as_str()) }
}
