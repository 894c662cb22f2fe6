//! The clusters, routes and endpoints of a dump, which only the comparison of istiod's view with the proxy's reads: each as the text
//! that was written, without its secrets.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::outer::{Cut, End};
use super::section::lists;
use super::{NotADump, kind, outer, saved, types};
use crate::ingest::redact;
use crate::model::resources::{Resource, ResourceType, Resources};

/// An element of a section: the resource with its state around it. Those of the bootstrap are passed over, since istiod never sends them.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    cluster: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "routeConfig")]
    route_config: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "endpointConfig")]
    endpoint_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "clusterName")]
    cluster_name: Option<Cow<'a, str>>,
}

/// Reads them out of Envoy's dump, istiod's, or a bare list, as istiod writes it where it is asked for some types.
///
/// # Errors
/// Where the bytes are no dump at all, or end too early: what is missing would look like a difference.
pub fn resources(bytes: &[u8]) -> Result<Resources, NotADump> {
    let (text, _) = saved::decode(bytes);
    let Cut { text, sections, end } = outer::find(saved::document(&text).0)?;
    if let End::Broken { what, .. } = end {
        return Err(kind::not_a_dump(text, Some(&what)));
    }
    let mut found = Resources::default();
    for (index, section) in sections.iter().enumerate() {
        let type_url = types::type_of(section);
        let place = format!("configs[{index}]");
        match &*types::section_name(&type_url) {
            "envoy.admin.v3.ClustersConfigDump" => found.section(ResourceType::Clusters, section, &place),
            "envoy.admin.v3.RoutesConfigDump" => found.section(ResourceType::Routes, section, &place),
            "envoy.admin.v3.EndpointsConfigDump" => found.section(ResourceType::Endpoints, section, &place),
            types::CLUSTER => found.add(ResourceType::Clusters, false, section, &place),
            types::ROUTES => found.add(ResourceType::Routes, false, section, &place),
            types::ENDPOINTS => found.add(ResourceType::Endpoints, false, section, &place),
            _ => {}
        }
    }
    // Who asks istiod for clusters asks for routes too, and each proxy has a cluster: a bare list without routes says that there are none.
    if sections.iter().any(|section| types::type_of(section).ends_with(types::CLUSTER)) {
        found.lists.entry(ResourceType::Routes).or_default();
    }
    Ok(found)
}

impl Resources {
    fn section(&mut self, of: ResourceType, section: &RawValue, place: &str) {
        let (mut dynamic, mut warming) = (Vec::new(), Vec::new());
        let read = match of {
            ResourceType::Clusters => lists(
                section.get(),
                &mut [
                    (["dynamic_active_clusters", "dynamicActiveClusters"], &mut dynamic),
                    (["dynamic_warming_clusters", "dynamicWarmingClusters"], &mut warming),
                ],
            ),
            ResourceType::Routes => lists(section.get(), &mut [(["dynamic_route_configs", "dynamicRouteConfigs"], &mut dynamic)]),
            ResourceType::Endpoints => lists(section.get(), &mut [(["dynamic_endpoint_configs", "dynamicEndpointConfigs"], &mut dynamic)]),
        };
        if let Err(error) = read {
            self.gaps.push(format!("{place} was not understood: {error}"));
        }
        self.lists.entry(of).or_default();
        for (elements, warms) in [(dynamic, false), (warming, true)] {
            for element in elements {
                match serde_json::from_str::<Entry<'_>>(element.get()) {
                    Ok(Entry { cluster, route_config, endpoint_config }) => {
                        if let Some(body) = cluster.or(route_config).or(endpoint_config) {
                            self.add(of, warms, body, place);
                        }
                    }
                    Err(error) => self.gaps.push(format!("an element of {place} was not understood: {error}")),
                }
            }
        }
    }

    fn add(&mut self, of: ResourceType, warms: bool, body: &RawValue, place: &str) {
        let body = redact::raw_json(body.get());
        let name = match serde_json::from_str::<Named<'_>>(body.as_str()) {
            Ok(Named { name, cluster_name }) => name.or(cluster_name).map(Cow::into_owned).unwrap_or_default(),
            Err(error) => return self.gaps.push(format!("a {} of {place} was not understood: {error}", of.noun())),
        };
        self.lists.entry(of).or_default().push(Resource { name, warms, body });
    }
}
