//! What istiod would send one proxy, held against what the proxy has.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::attachment;
use super::chains::{self, Facts, Gap, Prediction, Shared};
use super::comparison::{self, Cause, Difference, EnvoyFilters, How};
use super::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::ids::{ObjectName, PluginId, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::plugin::{Plugin, PluginType};
use crate::model::snapshot::Snapshot;
use crate::model::workload::Pod;

/// The prediction of a proxy's listeners, with the facts that it was made of.
#[derive(Clone, Debug)]
pub struct Outlook<'s> {
    /// What decides.
    pub facts: Facts<'s>,
    /// What istiod would send.
    pub prediction: Prediction,
    /// The EnvoyFilters that may change it.
    pub envoy_filters: EnvoyFilters<'s>,
    /// The plugins that istiod cannot decode, each with its name: what it sends of them nothing shows.
    undecodable: BTreeMap<PluginId, String>,
}

/// The predictions of one proxy, each made when it is first asked for: the states of several plugins share them.
pub struct Outlooks<'s> {
    /// The mesh.
    pub snapshot: &'s Snapshot,
    /// The proxy.
    pub proxy: &'s ProxyId,
    shared: Arc<Shared>,
    whole: OnceCell<Result<Outlook<'s>, String>>,
    inbound: OnceCell<Result<Outlook<'s>, String>>,
}

impl<'s> Outlooks<'s> {
    /// Those of one of many proxies of a mesh, with what was made for the others.
    pub fn sharing(snapshot: &'s Snapshot, proxy: &'s ProxyId, shared: &Arc<Shared>) -> Self {
        Self { snapshot, proxy, shared: shared.clone(), whole: OnceCell::new(), inbound: OnceCell::new() }
    }

    /// All of its listeners.
    ///
    /// # Errors
    /// As for [`Outlook::sharing`].
    pub fn whole(&self) -> Result<&Outlook<'s>, &String> {
        self.whole.get_or_init(|| Outlook::sharing(self.snapshot, self.proxy, &self.shared)).as_ref()
    }

    /// By [`Outlook::of_inbound`].
    ///
    /// # Errors
    /// As for [`Outlook::sharing`].
    pub fn inbound(&self) -> Result<&Outlook<'s>, &String> {
        self.inbound.get_or_init(|| Outlook::of_inbound(self.snapshot, self.proxy)).as_ref()
    }
}

/// A listener of a proxy beside the one that istiod would send in its place.
#[derive(Clone, Debug)]
pub struct Judgement<'o> {
    /// What istiod would send; None where it would send none, or where that cannot be told.
    pub predicted: Option<&'o Listener>,
    /// Why it cannot be told, naming the object, or what it rests on.
    pub unknown: Option<String>,
    /// Where they differ; empty also where it cannot be told.
    pub differences: Vec<Difference>,
    /// Why they differ.
    pub causes: Vec<Cause>,
    /// Whether nothing can be told of its chains without HTTP.
    without_tcp: bool,
}

impl Judgement<'_> {
    /// Whether both are the same; None where that cannot be told.
    pub fn agrees(&self) -> Option<bool> {
        let untold = |difference: &Difference| self.without_tcp && !difference.http;
        match self.differences.as_slice() {
            _ if self.unknown.is_some() => None,
            [] => Some(true),
            differences if differences.iter().all(untold) => None,
            _ => Some(false),
        }
    }
}

/// Kinds without which nothing can be predicted.
const NEEDED: [Kind; 4] = [Kind::WasmPlugin, Kind::TrafficExtension, Kind::Service, Kind::EnvoyFilter];
/// The further ones of sidecars.
const NEEDED_OF_SIDECARS: [Kind; 3] = [Kind::PeerAuthentication, Kind::Sidecar, Kind::ServiceEntry];
/// The same of gateways and waypoints.
const NEEDED_OF_GATEWAYS: [Kind; 2] = [Kind::Gateway, Kind::IstioGateway];

/// Why a listener of a proxy cannot be compared.
pub const PARTS_UNREAD: &str = "parts of the listener could not be read";

impl<'s> Outlook<'s> {
    /// Predicts for one of many proxies of a mesh, with what was made for the others.
    ///
    /// # Errors
    /// Why there is no prediction, as one clause.
    pub fn sharing(snapshot: &'s Snapshot, proxy: &ProxyId, shared: &Arc<Shared>) -> Result<Self, String> {
        Self::under(snapshot, proxy, None, shared)
    }

    /// Predicts without the outbound listeners of a sidecar, which can be many.
    ///
    /// # Errors
    /// As for [`Self::sharing`].
    pub fn of_inbound(snapshot: &'s Snapshot, proxy: &ProxyId) -> Result<Self, String> {
        Self::predicted_by(chains::predict_without_outbound, snapshot, proxy, None, &Arc::default())
    }

    /// Predicts under a mutual TLS mode in the place of the workload's; those of single ports stay.
    ///
    /// # Errors
    /// As for [`Self::sharing`].
    pub fn under(snapshot: &'s Snapshot, proxy: &ProxyId, mode: Option<MtlsMode>, shared: &Arc<Shared>) -> Result<Self, String> {
        Self::predicted_by(chains::predict, snapshot, proxy, mode, shared)
    }

    fn predicted_by(
        predict: impl FnOnce(&Facts<'_>) -> Prediction,
        snapshot: &'s Snapshot,
        proxy: &ProxyId,
        mode: Option<MtlsMode>,
        shared: &Arc<Shared>,
    ) -> Result<Self, String> {
        if !snapshot.has_objects {
            return Err("a lone config dump has no objects to predict from".to_owned());
        }
        let pod = snapshot.objects.pods.get(proxy).ok_or("the pod is not among the objects that were read")?;
        let node = snapshot.dump(proxy).and_then(|loaded| loaded.dump.node.as_ref());
        let facts = Facts::of(&snapshot.objects, pod, node, mode).ok_or("the pod runs no Envoy")?;
        let facts = Facts { shared: shared.clone(), ..facts };
        let further: &[Kind] = if facts.is_gateway() { &NEEDED_OF_GATEWAYS } else { &NEEDED_OF_SIDECARS };
        if let Some(kind) = NEEDED.iter().chain(further).find(|kind| snapshot.unread.contains(kind)) {
            return Err(format!("{} could not be read, and without them nothing can be predicted", kind.plural()));
        }
        if !facts.mesh.discovery_selectors.is_empty() && snapshot.unread.contains(&Kind::Namespace) {
            return Err("namespaces could not be read, and discoverySelectors go by their labels, so nothing can be predicted".to_owned());
        }
        let mut prediction = predict(&facts);
        if snapshot.unread.contains(&Kind::VirtualService) {
            let why = "VirtualServices could not be read, which may have TCP and TLS routes that chains follow".to_owned();
            prediction.gaps.push(Gap { listener: None, tcp_only: true, why });
        }
        let envoy_filters = EnvoyFilters::of(&facts);
        let undecodable = attachment::undecodable(pod, &snapshot.objects).map(|plugin| (plugin.id.clone(), plugin.id.to_string()));
        Ok(Self { undecodable: undecodable.collect(), facts, prediction, envoy_filters })
    }

    /// The direction of a listener of this proxy; of one of which only the name could be read, that of the one that istiod would send.
    pub fn direction(&self, listener: &Listener) -> Option<ListenerDirection> {
        let of = |listener| placement::direction(listener, Some(self.facts.kind));
        of(listener).or_else(|| self.predicted(&listener.name).filter(|_| listener.unread && !listener.is_static).and_then(of))
    }

    /// Holds a listener of the proxy against the prediction. None for listeners that are never predicted: those of the
    /// bootstrap, the ends of tunnels.
    pub fn judge(&self, listener: &Listener, dump: &ConfigDump) -> Option<Judgement<'_>> {
        let direction = self.direction(listener)?;
        let predicted = self.predicted(&listener.name);
        let gaps = self.gaps(listener);
        let unknown = self.unknown(listener).or_else(|| listener.lacks_parts().then(|| PARTS_UNREAD.to_owned()));
        let (mut differences, mut causes) = (Vec::new(), Vec::new());
        if unknown.is_none() {
            let none = listener.without_chains();
            let wanted = predicted.unwrap_or(&none);
            differences = comparison::differences(listener, wanted, Some(direction));
            differences.retain(|difference| self.is_certain(difference));
            if !differences.is_empty() {
                causes = comparison::causes(listener, wanted, &differences, dump, &self.facts, &gaps);
            }
        }
        let without_tcp = !gaps.is_empty();
        Some(Judgement { predicted: predicted.filter(|_| unknown.is_none()), unknown, differences, causes, without_tcp })
    }

    /// The listeners that are predicted and that the proxy lacks in every state but a draining one; none where its dump does not say which
    /// it has.
    pub fn lacking<'o>(&'o self, dump: &ConfigDump) -> impl Iterator<Item = &'o Listener> {
        let is_whole = dump.has_all_listeners();
        self.not_in(dump).filter(move |_| is_whole)
    }

    /// The listeners that are predicted and that a dump has in no state but a draining one.
    pub fn not_in<'o>(&'o self, dump: &ConfigDump) -> impl Iterator<Item = &'o Listener> {
        let stays = dump.listeners.iter().filter(|listener| listener.state != ListenerState::Draining);
        let there: HashSet<&str> = stays.map(|listener| listener.name.as_str()).collect();
        let lacking: Vec<&Listener> = self.prediction.listeners.iter().filter(|wanted| !there.contains(wanted.name.as_str())).collect();
        lacking.into_iter()
    }

    /// What istiod would send under a name.
    pub fn predicted(&self, name: &str) -> Option<&Listener> {
        self.prediction.listener(name)
    }

    /// Whether a difference comes of what is known.
    pub fn is_certain(&self, difference: &Difference) -> bool {
        match &difference.how {
            How::Destination { .. } => self.facts.knows_outbound_mode(),
            How::Plugins { predicted, counted } => {
                let is_known = |name: &&String| !self.undecodable.values().any(|unknown| unknown == *name);
                self.undecodable.is_empty() || !predicted.iter().filter(is_known).eq(counted.iter().filter(is_known))
            }
            _ => true,
        }
    }

    /// What of a listener is not predicted.
    pub fn gaps(&self, listener: &Listener) -> Vec<&Gap> {
        self.prediction.gaps_of(&listener.name, self.is_inbound(listener))
    }

    /// Whether a listener takes what comes to the workload.
    pub fn is_inbound(&self, listener: &Listener) -> bool {
        matches!(self.direction(listener), Some(ListenerDirection::Inbound | ListenerDirection::Internal))
    }

    /// How often istiod would put a plugin into a listener.
    ///
    /// # Errors
    /// Why that cannot be predicted, naming the object.
    pub fn count(&self, plugin: &PluginId, listener: &Listener) -> Result<usize, String> {
        if let Some(why) = self.unknown(listener) {
            return Err(why);
        }
        if self.undecodable.contains_key(plugin) {
            return Err(format!("istiod cannot decode {} {plugin}, and continues with what it had", plugin.kind));
        }
        let is_network = || self.facts.objects.plugins.get(plugin).is_some_and(|plugin| plugin.plugin_type == PluginType::Network);
        match self.gaps(listener).first() {
            Some(gap) if is_network() => Err(gap.why.clone()),
            _ => Ok(self.predicted(&listener.name).map_or(0, |predicted| placement::count_in_listener(predicted, plugin))),
        }
    }

    /// Why nothing can be predicted of a listener, naming the object; None where something can.
    pub fn unknown(&self, listener: &Listener) -> Option<String> {
        if listener.state == ListenerState::Draining {
            return Some("a replaced listener, which only serves the connections it has".to_owned());
        }
        let filters = self.envoy_filters.of_listener(listener, self.is_inbound(listener));
        if !filters.is_empty() {
            let names: Vec<String> = filters.into_iter().map(ObjectName::to_string).collect();
            return Some(format!("EnvoyFilter {} may change its chains, so there is no prediction", names.join(", ")));
        }
        self.gaps(listener).iter().find(|gap| !gap.tcp_only).map(|gap| gap.why.clone())
    }

    /// The inbound listeners under each mode in the place of the workload's; those of single ports stay.
    pub fn by_mode(&self) -> Vec<(MtlsMode, Vec<Listener>)> {
        let under = |mode| chains::predict_inbound(&Facts { mode, ..self.facts.clone() });
        MtlsMode::ALL.into_iter().map(|mode| (mode, under(mode))).collect()
    }
}

/// In how many chains istiod would put the plugin, as far as `match` asks: none at all is what is looked for. None where `match` names no
/// port, so that its words alone decide, and where what istiod would send is not known.
pub fn stands(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<usize> {
    if plugin.matches.iter().all(|item| item.ports.is_empty()) {
        return None;
    }
    let facts = Facts::of(objects, pod, None, None)?;
    let count = |listeners: &[Listener]| listeners.iter().map(|listener| placement::count_in_listener(listener, &plugin.id)).sum();
    // The inbound listeners are few, and most often they decide.
    match count(&chains::predict_inbound(&facts)) {
        0 => {
            let predicted = chains::predict(&facts);
            let count = count(&predicted.listeners);
            (count > 0 || predicted.gaps.is_empty()).then_some(count)
        }
        inbound => Some(inbound),
    }
}
