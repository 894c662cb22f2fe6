//! What stands where in a list: the places of its ruler, and the filters that the proxy has.

use serde::Serialize;

use crate::analysis::answers::filters::{FilterAnswer, short};
use crate::analysis::order::{self, BuiltIn};
use crate::model::ids::PluginKind;
use crate::model::plugin::Phase;

/// One place of the ruler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RulerPlace {
    /// What stands there.
    #[serde(flatten)]
    pub what: RulerMark,
    /// In how many chains the proxy has it; None for a phase, and where its own dump was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains: Option<usize>,
    /// The first of these chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_chain: Option<ChainPlace>,
}

/// What stands at a place of the ruler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum RulerMark {
    /// A built-in filter.
    BuiltIn(BuiltIn),
    /// Where the plugins of a phase begin.
    Phase {
        /// The phase.
        phase: Phase,
    },
    /// A plugin, by its place among the plugins.
    #[serde(rename_all = "camelCase")]
    Plugin {
        /// From 1.
        place: usize,
        /// `namespace/name`.
        plugin: String,
        /// Its kind.
        plugin_kind: PluginKind,
    },
}

/// A chain of a listener.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChainPlace {
    /// The listener's name.
    pub listener: String,
    /// The listener's state.
    pub state: &'static str,
    /// The chain's 0-based place in it.
    pub chain: usize,
}

/// A sequence of filters that the proxy has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundFilters {
    /// In how many chains it stands.
    pub chains: usize,
    /// The first of them.
    pub first_chain: ChainPlace,
    /// The filters, in their order.
    pub filters: Vec<FoundFilter>,
    /// How it differs from the ruler, as sentences; empty where it does not.
    pub differences: Vec<String>,
}

/// A filter that the proxy has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundFilter {
    /// The filter.
    #[serde(flatten)]
    pub filter: FilterAnswer,
    /// How it stands to the ruler.
    pub stands: Stands,
}

/// How a filter stands to the ruler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stands {
    /// In its place.
    InOrder,
    /// Elsewhere than the ruler has it.
    Moved,
    /// The ruler does not know it.
    Unknown,
}

impl RulerPlace {
    /// Its filters by their short names, the plugin, or the phase in brackets.
    pub fn name(&self) -> String {
        match &self.what {
            RulerMark::BuiltIn(built_in) => built_in.names.iter().map(|name| short(name)).collect::<Vec<_>>().join(", "),
            RulerMark::Phase { phase } => format!("[{}]", order::phase_words(phase)),
            RulerMark::Plugin { plugin, .. } => plugin.clone(),
        }
    }
}
