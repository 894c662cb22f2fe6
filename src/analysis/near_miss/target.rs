//! What of a targetRef would have to change.

use super::change::Asked;
use super::fix::{Edit, Fix};
use super::similar::{is_slip, nearest};
use crate::analysis::attachment::waypoint::NotServed;
use crate::analysis::attachment::{RefMiss, TargetMiss, WAYPOINT_CLASS};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::plugin::TargetRef;

impl Asked<'_, '_> {
    /// Ways in groups, the best first, for the reference of which the least fails.
    pub(super) fn target(&self, miss: &TargetMiss) -> Vec<Vec<Fix>> {
        let (gateway, namespace, target) = (self.gateway(), &self.pod.id.namespace, &miss.target);
        let with = |text: String, change: &dyn Fn(&mut TargetRef)| {
            Fix::plugin(text, self.plugin, |plugin| {
                let refs = plugin.target_refs.iter_mut().chain(&mut plugin.target_ref);
                refs.filter(|other| *other == target).for_each(change);
            })
        };
        let to =
            |text: String, namespace: &str| Fix::plugin(text, self.plugin, |plugin| namespace.clone_into(&mut plugin.id.name.namespace));
        let by_name = || self.at_gateway(gateway, format!("target kind Gateway, name {gateway}"));
        let mut groups = Vec::new();
        match miss.why.first() {
            None => return groups,
            Some(RefMiss::UnknownKind) => {
                let kinds = ["Gateway", "Service", "ServiceEntry", "GatewayClass"].into_iter();
                if let Some(kind) = nearest(&target.kind, kinds) {
                    groups.push(vec![with(format!("did you mean kind {kind}?"), &|other| kind.clone_into(&mut other.kind))]);
                }
            }
            Some(RefMiss::TooNew) => {
                let upgrade = (miss.why.len() == 1).then(|| Fix::other("upgrade istiod"));
                groups.push([by_name()].into_iter().chain(upgrade).collect());
            }
            Some(RefMiss::Group { wanted }) => {
                let text = if wanted.is_empty() { "leave group empty".to_owned() } else { format!("write group: {wanted}") };
                groups.push(vec![with(text, &|other| (*wanted).clone_into(&mut other.group))]);
            }
            Some(RefMiss::NotWaypoint) => {
                groups.push(vec![self.at_gateway(gateway, format!("target the gateway itself: kind Gateway, name {gateway}"))]);
            }
            Some(RefMiss::PluginNamespace { gateway, .. }) => {
                groups.push(vec![to(format!("create the plugin in namespace {gateway}"), gateway)])
            }
            Some(RefMiss::RefNamespace(_)) => {
                let text = format!("leave namespace out{}", self.there());
                let mut fix = with(text, &|other| other.namespace.clear());
                if let Edit::Plugin(plugin) = &mut fix.edit {
                    plugin.id.name.namespace.clone_from(namespace);
                }
                groups.push(vec![fix]);
            }
            Some(RefMiss::OtherGateway { gateway }) => {
                let meant = with(format!("did you mean name {gateway}?"), &|other| other.name.clone_from(gateway));
                groups.extend(is_slip(&target.name, gateway).then(|| vec![meant]));
                groups.push(vec![self.at_gateway(gateway, format!("add a targetRef with kind Gateway, name {gateway}"))]);
            }
            Some(RefMiss::OtherClass) => {
                let of_class = with(format!("target GatewayClass {WAYPOINT_CLASS}"), &|other| WAYPOINT_CLASS.clone_into(&mut other.name));
                groups.push(vec![of_class, by_name()]);
            }
            Some(RefMiss::NotRoot { root }) => {
                groups.push(vec![to(format!("create the plugin in the root namespace {root}"), root), by_name()]);
            }
            Some(RefMiss::NoService { namespace, elsewhere }) => match elsewhere.first() {
                Some(other) => groups
                    .push(vec![to(format!("create the plugin in namespace {}, where the service is", other.namespace), &other.namespace)]),
                None => {
                    let meant = self.service_meant(&target.kind, &target.name, namespace);
                    let fix = |meant: &str| {
                        vec![with(format!("did you mean {} {meant}?", target.kind), &|other| meant.clone_into(&mut other.name))]
                    };
                    groups.extend(meant.map(fix));
                    // What uses the waypoint.
                    let text = format!("name a {} that is in namespace {namespace} and uses waypoint {gateway}", target.kind);
                    groups.extend((miss.why.len() == 1).then(|| vec![Fix::other(text)]));
                }
            },
            Some(RefMiss::NotServed { waypoint, why }) => {
                let served = not_served(why, waypoint, target.kind.as_str(), &target.name, namespace);
                let Some(text) = served else { return groups };
                groups.extend((miss.why.len() == 1).then(|| vec![Fix::other(text)]));
            }
        }
        groups.push(vec![by_name()]);
        groups
    }

    fn service_meant(&self, kind: &str, name: &str, namespace: &str) -> Option<&str> {
        let wanted = if kind == "Service" { Kind::Service } else { Kind::ServiceEntry };
        let here = self.objects.services.keys().filter(|(of, service)| *of == wanted && service.namespace == namespace);
        nearest(name, here.map(|(_, service)| service.name.as_str()))
    }
}

/// The label that puts a service behind the waypoint.
fn not_served(why: &NotServed, waypoint: &ObjectName, kind: &str, name: &str, namespace: &str) -> Option<String> {
    let label = format!("label {kind} {name} with istio.io/use-waypoint={}", waypoint.name);
    Some(match why {
        NotServed::NoLabel | NotServed::OptedOut | NotServed::OtherWaypoint { .. } => {
            format!("{label} (and istio.io/use-waypoint-namespace={namespace} where it is in another namespace)")
        }
        NotServed::NotForServices(_) => format!("set label istio.io/waypoint-for on Gateway {waypoint} to service or all"),
        NotServed::NamespaceNotAllowed => {
            format!("let the HBONE listener of Gateway {waypoint} take routes from its namespace: allowedRoutes.namespaces.from: All")
        }
        NotServed::OtherChain => format!("target Gateway {} to be in the chains of all its services", waypoint.name),
        NotServed::ExternalName | NotServed::OfWaypoint | NotServed::Undiscovered => return None,
    })
}
